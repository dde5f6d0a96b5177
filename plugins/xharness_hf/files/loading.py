"""Pretrained backbones and their tokenizers, read from a local folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast, utils

from xharness import ConfigurationError, UnavailableError, digest, file_digest, read_json
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.files import config_data, folders
from xharness_hf.files.folders import Weights

_ALIGNED = 64  # bytes, as torch allocates
_MASKS = ("[MASK]", "<mask>")
MODEL_SPEC = "xharness.json"
"""What a model that was saved here says of itself, beside its configuration."""
_MOST_TOKENIZERS = 4
_TOKENIZERS: dict[str | None, PreTrainedTokenizerFast] = {}
"""The last that were read, by what they were read from."""


def backbone(
    folder: Path, weights: Weights, layers: int | None = None, causal: bool | None = None
) -> Backbone:
    """The backbone in `folder` in float32, its first `layers` layers.

    Raises:
        UnavailableError: configuration or weights are damaged, or do not belong together.
        ConfigurationError: the backbone has fewer layers.
    """
    return Backbone(module(AutoModel, folder, config(folder, layers), weights), causal)


def config(folder: Path, layers: int | None = None) -> Any:
    """The configuration in `folder`, with errors as `backbone`."""
    config = data_of_config(folder)
    if not all(getattr(config, name, None) for name in ("hidden_size", "num_hidden_layers")):
        raise UnavailableError(
            f"'{config.model_type}' is not a backbone of one stack of layers that reads text",
            where=str(folder),
            hint="of a model that also sees or hears, take the text part",
        )
    if layers is not None:
        _shorten(config, layers, folder)
    return config


def data_of_config(folder: Path) -> Any:
    """The configuration in `folder`, without what would have transformers fetch and run code.

    Raises:
        UnavailableError: it is damaged, or of a size that no model has.
    """
    file = folder / "config.json"
    try:
        return config_data.build(read_json(file))
    except Exception as error:  # unknown architecture, missing key, malformed JSON: all its own
        raise damaged(file, "the configuration", error) from error


def module(auto: Any, folder: Path, config: Any, weights: Weights) -> Any:
    """What `auto`, a class of transformers, makes of the weights, with errors as `backbone`."""
    if (folder / "adapter_config.json").is_file():  # it would be put on the weights in silence
        raise UnavailableError(
            "an adapter lies beside the weights: adapter_config.json",
            where=str(folder),
            hint="merge it into the weights, or take it out of the folder",
        )
    try:
        model, info = auto.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=weights == "safetensors" or None,
            weights_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:  # a truncated file, other shapes, a pickle that is not only weights
        raise damaged(folder, "the weights", error) from error
    # heads read hidden states, so a pooler is never missed
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise UnavailableError(
            f"the weights lack {len(missing)} tensors of a {config.model_type} backbone, "
            f"'{missing[0]}' among them",
            where=str(folder),
            hint="is config.json that of another model?",
        )
    for parameter in model.parameters():
        if parameter.data_ptr() % _ALIGNED:
            # parts of a mapped file: arithmetic on them may differ in the last bit
            parameter.data = parameter.data.clone()
    return model


def safetensors(folder: Path) -> tuple[Path, ...]:
    """The weights of `folder` as safetensors; none where it has other ones."""
    try:
        return tuple(folders.weight_files(folder, "safetensors"))
    except UnavailableError:
        return ()


def _shorten(config: Any, layers: int, folder: Path) -> None:
    """Make `config` that of the first `layers` layers, its lists by layer too."""
    count = int(config.num_hidden_layers)
    if layers > count:
        raise ConfigurationError(
            f"'num_layers' is {layers}, but the backbone has {count}", where=str(folder)
        )
    for name, value in vars(config).items():
        if isinstance(value, list) and len(value) == count:
            setattr(config, name, value[:layers])
    config.num_hidden_layers = layers


def tokenizer(location: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in a folder or a tokenizer.json, a fast one if there is one.

    A tokenizer.json is taken as it stands: the classes of single models rebuild parts of it. One of
    the same files as before is the same object: a study's trainings all begin with one, and to
    build it takes as long as many a small one lasts. Nobody changes a tokenizer that is read.

    Raises:
        UnavailableError: there is none, or it is damaged.
    """
    try:
        key = _identity(location)
        loaded = _TOKENIZERS[key] if key in _TOKENIZERS else _with_mask(_read(location))
    except Exception as error:  # every tokenizer class fails in its own way
        raise damaged(location, "the tokenizer", error) from error
    if key is not None:
        _TOKENIZERS[key] = loaded
        if len(_TOKENIZERS) > _MOST_TOKENIZERS:
            del _TOKENIZERS[next(iter(_TOKENIZERS))]
    return loaded


def _identity(location: Path) -> str | None:
    """Told from the bytes of all that a fast tokenizer is read from; None of a slow one."""
    if location.is_file():
        return file_digest(location)
    if not (location / "tokenizer.json").is_file():
        return None
    files = [*location.glob("*.json"), *location.glob("*.jinja")]
    return digest(
        [[file.name, file_digest(file)] for file in sorted(files) if file.name != MODEL_SPEC]
    )


def _with_mask(loaded: Any) -> PreTrainedTokenizerFast:
    # a bare tokenizer.json names no roles, and masking needs this one
    if loaded.mask_token_id is None:
        mask = next((token for token in _MASKS if token in loaded.get_vocab()), None)
        if mask is not None:
            loaded.mask_token = mask
    tokenizer: PreTrainedTokenizerFast = loaded
    return tokenizer


def _read(location: Path) -> Any:
    fast: Any = PreTrainedTokenizerFast
    if location.is_file():
        return fast(tokenizer_file=str(location))
    if (file := location / "tokenizer.json").is_file():
        # said, because tokenizer_config.json may name another file, anywhere on this machine
        return PreTrainedTokenizerFast.from_pretrained(location, tokenizer_file=str(file))
    return AutoTokenizer.from_pretrained(location, trust_remote_code=False)


def damaged(location: Path, part: str, error: Exception) -> UnavailableError:
    """The error that `part` at `location` cannot be read, with the first line of its reason."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return UnavailableError(
        f"{part} cannot be read: {lines[0][:300]}",
        where=str(location),
        hint="fetch the model again, or see whether the installed transformers knows it",
    )


def silence_transformers() -> None:
    """No progress bars and no warnings about heads left out on purpose."""
    logging: Any = utils.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
