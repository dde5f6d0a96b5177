"""Pretrained backbones and their tokenizers, read from a local folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerFast, utils

from xharness import ConfigurationError, UnavailableError
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.files import folders
from xharness_hf.files.folders import Weights

_ALIGNED = 64  # bytes, as torch allocates
_MASKS = ("[MASK]", "<mask>")


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
    try:
        found = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # unknown architecture, missing key, malformed JSON: all its own
        raise damaged(folder / "config.json", "the configuration", error) from error
    if not all(getattr(found, name, None) for name in ("hidden_size", "num_hidden_layers")):
        raise UnavailableError(
            f"'{found.model_type}' is not a backbone of one stack of layers that reads text",
            where=str(folder),
            hint="of a model that also sees or hears, take the text part",
        )
    if layers is not None:
        _shorten(found, layers, folder)
    return found


def module(auto: Any, folder: Path, config: Any, weights: Weights) -> Any:
    """What `auto`, a class of transformers, makes of the weights, with errors as `backbone`."""
    try:
        found, told = auto.from_pretrained(
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
    missing = sorted(key for key in told["missing_keys"] if "pooler" not in key)
    if missing:
        raise UnavailableError(
            f"the weights lack {len(missing)} tensors of a {config.model_type} backbone, "
            f"'{missing[0]}' among them",
            where=str(folder),
            hint="is config.json that of another model?",
        )
    for parameter in found.parameters():
        if parameter.data_ptr() % _ALIGNED:
            # parts of a mapped file: arithmetic on them may differ in the last bit
            parameter.data = parameter.data.clone()
    return found


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
            f"'layers' is {layers}, but the backbone has {count}", where=str(folder)
        )
    for name, value in vars(config).items():
        if isinstance(value, list) and len(value) == count:
            setattr(config, name, value[:layers])
    config.num_hidden_layers = layers


def tokenizer(place: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in a folder or a tokenizer.json, a fast one if there is one.

    A tokenizer.json is taken as it stands: the classes of single models rebuild parts of it.

    Raises:
        UnavailableError: there is none, or it is damaged.
    """
    try:
        found = _read(place)
    except Exception as error:  # every tokenizer class fails in its own way
        raise damaged(place, "the tokenizer", error) from error
    if found.mask_token_id is None:
        mask = next((one for one in _MASKS if one in found.get_vocab()), None)
        if mask is not None:
            found.mask_token = mask
    read: PreTrainedTokenizerFast = found
    return read


def _read(place: Path) -> Any:
    fast: Any = PreTrainedTokenizerFast
    if place.is_file():
        return fast(tokenizer_file=str(place))
    if (place / "tokenizer.json").is_file():
        return PreTrainedTokenizerFast.from_pretrained(place)
    return AutoTokenizer.from_pretrained(place, trust_remote_code=False)


def damaged(place: Path, what: str, error: Exception) -> UnavailableError:
    """The error that `what` at `place` cannot be read, with the first line of its reason."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return UnavailableError(
        f"{what} cannot be read: {lines[0][:300]}",
        where=str(place),
        hint="fetch the model again, or see whether the installed transformers knows it",
    )


def quiet() -> None:
    """No progress bars and no warnings about heads left out on purpose."""
    logging: Any = utils.logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
