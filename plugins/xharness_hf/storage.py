"""A model's folder: the body in the Hugging Face layout, the tokenizer, the heads beside it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from xharness.extend import StageError, UnavailableError
from xharness_hf import adapters, loading
from xharness_hf.bodies import Body
from xharness_hf.heads import MASKED, AnyHead, Head, Heads, MaskedHead, Scale
from xharness_hf.options import Prompts
from xharness_hf.published.declared import declares
from xharness_hf.published.vectors import Published
from xharness_hf.tokens import Tokens
from xharness_hf.vectors import BY_RECIPE, Vectors

_FORMAT = 1
_SPEC, _HEADS = "xharness.json", "heads.safetensors"


def save(folder: Path, body: Body, tokens: Tokens, heads: Heads, vectors: Vectors) -> None:
    """Write the model; `AutoModel.from_pretrained` reads the body, PEFT the adapter beside it.

    Raises:
        StageError: the disk is full or cannot be written.
    """
    sizes = body.sizes()
    spec = {
        "format": _FORMAT,
        "causal": body.causal,
        "heads": heads.spec(),
        "parameters": {"total": sizes.total, "embedding": sizes.embedding},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_body(folder, body)
        vectors.save(folder)
        tokens.tokenizer.save_pretrained(folder)
        learnt = {name: one.detach().cpu() for name, one in heads.parameters().items()}
        save_file(learnt, folder / _HEADS)
        (folder / _SPEC).write_text(json.dumps(spec, indent=1), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise StageError(f"the model cannot be written: {error}", where=str(folder)) from error


def load(folder: Path) -> tuple[tuple[Body, Tokens, Heads], Vectors]:
    """The model that `save` wrote.

    Raises:
        UnavailableError: the folder is not one, or is damaged.
    """
    try:
        spec = json.loads((folder / _SPEC).read_text(encoding="utf-8"))
        learnt = load_file(folder / _HEADS)
        body = loading.body(folder, "safetensors", causal=bool(spec["causal"]))
        loaded(body, folder)
        tokens = Tokens(loading.tokenizer(folder), causal=body.causal)
        heads = _heads(spec["heads"], learnt, body)
        vectors = (
            Published(folder, "safetensors", Prompts(), body) if declares(folder) else BY_RECIPE
        )
        return (body, tokens, heads), vectors
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise UnavailableError(
            f"not a saved model, or a damaged one: {type(error).__name__}: {error}",
            where=str(folder),
            hint="remove the folder; the stage that made it will run again",
        ) from error


def build(kind: str, outputs: int, body: Body) -> AnyHead:
    """A head for `body`, its weights not yet meant."""
    if kind == MASKED:
        return MaskedHead(body.width, body.embedding)
    if kind in ("retrieval", "linking"):
        return Scale(kind)
    return Head(kind, body.width, outputs, body.dropout)


def save_body(folder: Path, body: Body) -> None:
    """Write the body and its adapter; weights that are those of files are not written again."""
    if body.adapter is not None:
        adapters.save(body.adapter, folder)
    if body.origin:
        body.module.config.save_pretrained(folder)
        for file in body.origin:
            _same(file.resolve(), folder / file.name)
        return
    weights = body.module.state_dict()
    if body.adapter is not None:
        weights = adapters.without(weights)
    compact = {name: _compact(value) for name, value in weights.items()}
    body.module.save_pretrained(folder, state_dict=compact)


def loaded(body: Body, folder: Path) -> None:
    """What `save_body` wrote beside the body's own files; these are never written again."""
    body.origin = loading.safetensors(folder)
    adapters.load(body, folder)


def _same(file: Path, place: Path) -> None:
    """`file` under a second name, or a copy where the file system has no hard links."""
    place.unlink(missing_ok=True)
    try:
        os.link(file, place)
    except OSError:
        shutil.copyfile(file, place)


def _heads(spec: dict[str, Any], learnt: dict[str, Tensor], body: Body) -> Heads:
    heads = Heads()
    for name, one in spec.items():
        head = build(one["kind"], int(one["outputs"]), body)
        prefix = f"{name}/"
        own = {k.removeprefix(prefix): v for k, v in learnt.items() if k.startswith(prefix)}
        head.load_state_dict(own)
        heads.add(name, head)
    return heads


def _compact(value: Tensor) -> Tensor:
    """`value` in bf16 where that loses nothing, as with frozen parts of a bf16 release."""
    if value.dtype != torch.float32:
        return value
    half = value.bfloat16()
    return half if torch.equal(half.float(), value) else value
