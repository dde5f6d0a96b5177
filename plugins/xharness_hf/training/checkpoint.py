"""Checkpoints: what a training needs to go on from a step, whole or not at all on the disk."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from xharness import digest, file_digest, make_durable, read_json
from xharness_hf.files.storage import storing

_PREFIX = "checkpoint-"
_TENSORS, _SELECTION, _STATE = "tensors.safetensors", "kept.safetensors", "state.json"


@dataclass(frozen=True)
class TrainingCheckpoint:
    """The state after `step` steps: weights that learn, optimiser moments, and facts so far.

    `selection` are the weights chosen so far, where a training does not end with the last ones.
    """

    step: int
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    selection: Mapping[str, Tensor] = field(default_factory=dict)


def newest(folder: Path, identity: str) -> TrainingCheckpoint | None:
    """The last checkpoint of this very training that is as it was written; damaged ones are told.

    Those of another training are as good as none.
    """
    for checkpoint in sorted(folder.glob(f"{_PREFIX}*"), key=_step, reverse=True):
        try:
            state = read_json(checkpoint / _STATE)
            if state["digest"] != _digest(checkpoint, state):
                raise ValueError("its digest is another")
            if state["identity"] == identity:
                tensors = load_file(checkpoint / _TENSORS)
                selection = load_file(checkpoint / _SELECTION)
                return TrainingCheckpoint(int(state["step"]), tensors, state["facts"], selection)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            reason = f"{type(error).__name__}: {error}"
            print(f"{checkpoint}: damaged, its steps are made again ({reason})", file=sys.stderr)
    return None


def write(folder: Path, identity: str, checkpoint: TrainingCheckpoint) -> None:
    """Keep `checkpoint` and none before it; a rename makes it whole.

    Raises:
        StageError: the disk is full or cannot be written.
    """
    part, target = folder / f".part-{checkpoint.step}", folder / f"{_PREFIX}{checkpoint.step}"
    with storing("checkpoint", folder), _removed_after_errors(part):
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(dict(checkpoint.tensors), part / _TENSORS)
        save_file(dict(checkpoint.selection), part / _SELECTION)
        state = {"identity": identity, "step": checkpoint.step, "facts": checkpoint.facts}
        state["digest"] = _digest(part, state)
        (part / _STATE).write_text(json.dumps(state), encoding="utf-8")
        # the one before it is removed below, and must not be the only one that reached the disk
        make_durable(part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        make_durable(target)
    for old in folder.glob(f"{_PREFIX}*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _removed_after_errors(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _digest(folder: Path, state: Mapping[str, Any]) -> str:
    """Of the tensors' bytes, and of what `state` says of them."""
    files = [file_digest(folder / name) for name in (_TENSORS, _SELECTION)]
    return digest([state["identity"], state["step"], state["facts"], files])


def state(learning: Mapping[str, nn.Parameter], optimizer: Optimizer) -> dict[str, Tensor]:
    """Weights and moments by name, on the CPU."""
    tensors = {}
    for name, parameter in learning.items():
        tensors[f"{name}:weight"] = parameter.detach()
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{name}:{key}"] = value.detach()
    return {name: value.cpu().contiguous() for name, value in tensors.items()}


def restore(
    tensors: Mapping[str, Tensor], learning: Mapping[str, nn.Parameter], optimizer: Optimizer
) -> None:
    """Put back what `state` gave."""
    with torch.no_grad():
        for key, value in tensors.items():
            name, _, part = key.rpartition(":")
            parameter = learning[name]
            if part == "weight":
                parameter.copy_(value)
            else:  # a copy, because the loaded one may be a view of a file
                # torch counts steps on the host, its fused kernels on the device.
                device = "cpu" if part == "step" and not _fused(optimizer) else parameter.device
                optimizer.state[parameter][part] = value.clone().to(device)


def _fused(optimizer: Optimizer) -> bool:
    return bool(optimizer.defaults.get("fused"))


def _step(folder: Path) -> int:
    number = folder.name.removeprefix(_PREFIX)
    return int(number) if number.isdigit() else -1
