"""Checkpoints: what a training needs to go on from a step, whole or not at all on the disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from xharness import StageError

_PREFIX = "checkpoint-"
_TENSORS, _KEPT, _STATE = "tensors.safetensors", "kept.safetensors", "state.json"


@dataclass(frozen=True)
class TrainingCheckpoint:
    """The state after `step` steps: weights that learn, optimiser moments, and facts so far.

    `kept` are the weights chosen so far, where a training does not simply end with the last ones.
    """

    step: int
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]
    kept: Mapping[str, Tensor] = field(default_factory=dict)


def newest(folder: Path, identity: str) -> TrainingCheckpoint | None:
    """The last whole checkpoint of this very training; others are as good as none."""
    found = sorted(folder.glob(f"{_PREFIX}*"), key=_step, reverse=True)
    for place in found:
        try:
            state = json.loads((place / _STATE).read_text(encoding="utf-8"))
            if state["identity"] == identity:
                tensors, kept = load_file(place / _TENSORS), load_file(place / _KEPT)
                return TrainingCheckpoint(int(state["step"]), tensors, state["facts"], kept)
        except (OSError, ValueError, KeyError, SafetensorError):
            continue
    return None


def write(folder: Path, identity: str, checkpoint: TrainingCheckpoint) -> None:
    """Keep `checkpoint` and none before it; a rename makes it whole.

    Raises:
        StageError: the disk is full or cannot be written.
    """
    part, place = folder / f".part-{checkpoint.step}", folder / f"{_PREFIX}{checkpoint.step}"
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(dict(checkpoint.tensors), part / _TENSORS)
        save_file(dict(checkpoint.kept), part / _KEPT)
        state = {"identity": identity, "step": checkpoint.step, "facts": checkpoint.facts}
        (part / _STATE).write_text(json.dumps(state), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        part.rename(place)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise StageError(f"the checkpoint cannot be written: {error}", where=str(folder)) from error
    for old in folder.glob(f"{_PREFIX}*"):
        if old != place:
            shutil.rmtree(old, ignore_errors=True)


def state(learning: Mapping[str, nn.Parameter], optimizer: Optimizer) -> dict[str, Tensor]:
    """Weights and moments by name, on the CPU."""
    found = {}
    for name, parameter in learning.items():
        found[f"{name}:weight"] = parameter.detach()
        for key, value in optimizer.state.get(parameter, {}).items():
            found[f"{name}:{key}"] = value.detach()
    return {name: value.cpu().contiguous() for name, value in found.items()}


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
                device = "cpu" if part == "step" and not _fused(optimizer) else parameter.device
                optimizer.state[parameter][part] = value.clone().to(device)


def _fused(optimizer: Optimizer) -> bool:
    return bool(optimizer.defaults.get("fused"))


def _step(place: Path) -> int:
    number = place.name.removeprefix(_PREFIX)
    return int(number) if number.isdigit() else -1
