"""Opening a model: by the options a study gives, or from a folder that a stage left."""

from __future__ import annotations

from pathlib import Path

from xharness.extend import Surroundings
from xharness_hf import folders, hub, loading, storage
from xharness_hf.beginning import Beginning
from xharness_hf.heads import Heads
from xharness_hf.model import HfModel
from xharness_hf.options import Options
from xharness_hf.precision import device_of
from xharness_hf.quiet import quiet
from xharness_hf.tokens import Tokens


def start(options: Options, surroundings: Surroundings, device: str | None) -> HfModel:
    """The model that `options` stand for; see `HfBackend.start`."""
    quiet()
    where = device_of(device)
    if options.scratch is not None:
        return HfModel(where, Beginning(options.scratch, surroundings))
    folder = _folder(options, surroundings)
    folders.weight_files(folder, options.weights)
    body = loading.body(folder, options.weights, options.layers)
    tokens = Tokens(loading.tokenizer(folder), causal=body.causal)
    return HfModel(where, (body, tokens, Heads()))


def load(folder: Path, device: str | None) -> HfModel:
    """The model that `HfModel.save` wrote; see `HfBackend.load`."""
    quiet()
    return HfModel(device_of(device), storage.load(folder))


def _folder(options: Options, surroundings: Surroundings) -> Path:
    if options.hub is not None:
        return hub.snapshot(options, surroundings)
    if options.gguf is not None:
        from xharness_hf.gguf import converted

        return converted(options.gguf, surroundings)
    assert options.path is not None
    return folders.local(options.path, surroundings)
