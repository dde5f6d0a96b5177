"""Opening a model: by the options a study gives, or from a folder that a stage left."""

from __future__ import annotations

from pathlib import Path

import torch

from xharness.extend import Surroundings
from xharness_hf import folders, hub, loading, storage
from xharness_hf.beginning import Beginning
from xharness_hf.heads import Heads
from xharness_hf.model import HfModel
from xharness_hf.options import Manner, Options
from xharness_hf.precision import device_of
from xharness_hf.published.vectors import Published
from xharness_hf.quiet import quiet
from xharness_hf.tokens import Tokens
from xharness_hf.vectors import BY_RECIPE, Vectors
from xharness_hf.written import storage as written
from xharness_hf.written.model import WritingModel
from xharness_hf.written.writers import writer


def start(
    options: Options, surroundings: Surroundings, device: str | None
) -> HfModel | WritingModel:
    """The model that `options` stand for; see `HfBackend.start`."""
    quiet()
    where = device_of(device)
    if options.scratch is not None:
        return HfModel(where, Beginning(options.scratch, surroundings))
    folder = _folder(options, surroundings)
    folders.weight_files(folder, options.weights)
    if options.answers != "heads":
        return _writing(options, folder, where)
    body = loading.body(folder, options.weights, options.layers)
    if options.hub is not None:  # files of the hub's cache are never written again
        body.origin = loading.safetensors(folder)
    tokens = Tokens(loading.tokenizer(folder), causal=body.causal)
    vectors: Vectors = BY_RECIPE
    if options.vectors == "published":
        vectors = Published(folder, options.weights, options.prompts, body)
    return HfModel(where, (body, tokens, Heads()), vectors)


def _writing(options: Options, folder: Path, where: torch.device) -> WritingModel:
    body = writer(folder, options.weights, options.layers)
    if options.hub is not None:
        body.origin = loading.safetensors(folder)
    manner = Manner(**options.model_dump(include={*Manner.model_fields}))
    tokens = Tokens(loading.tokenizer(folder), causal=body.causal)
    return WritingModel(where, body, tokens, manner)


def load(folder: Path, device: str | None) -> HfModel | WritingModel:
    """The model that `save` wrote; see `HfBackend.load`."""
    quiet()
    if (folder / written.SPEC).is_file():
        return WritingModel(device_of(device), *written.load(folder))
    return HfModel(device_of(device), *storage.load(folder))


def _folder(options: Options, surroundings: Surroundings) -> Path:
    if options.hub is not None:
        return hub.snapshot(options, surroundings)
    if options.gguf is not None:
        from xharness_hf.gguf import converted

        return converted(options.gguf, surroundings)
    assert options.path is not None
    return folders.local(options.path, surroundings)
