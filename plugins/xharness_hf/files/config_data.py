"""What of a model's config.json is data: the fields that its class declares, and what has no text.

A text can name a repository, and some fields have transformers fetch and run what they name:
kernels, backbones, classes of the author's own. Such fields are set on any configuration, whatever
its class; so a text counts only where the class declares the field as one of its own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from transformers import CONFIG_MAPPING, PreTrainedConfig

_TEXTS = frozenset(
    {
        "model_type", "torch_dtype", "rope_scaling", "layer_types", "norm_rel_ebd", "conv_act",
        "hidden_act", "position_embedding_type", "summary_type", "summary_activation",
    }
)  # fmt: skip
"""Words that models read of configurations which do not declare them."""
_KERNELS = ("attn_implementation", "experts_implementation")
_OWN_KERNELS = ("eager", "sdpa", "flex_attention")
_MOST_LAYERS, _MOST_WIDTH = 2048, 2**20  # the largest models there are have a tenth of both
_LAYERS = re.compile(r"n_layer|(?:\w+_)?(?:layers|blocks)")
_WIDTHS = re.compile(r"(?:\w*hidden_size|intermediate_size|d_model|d_ff|d_kv|n_embd|n_inner|dim)")
_MOST_WORDS = 2**26  # of a vocabulary: byte-pair ones end at a few hundred thousand


def build(values: Any) -> PreTrainedConfig:
    """The configuration that the values of a config.json stand for.

    Raises:
        ValueError: it names no known architecture, or a size that no model has.
        Exception: values that its class refuses, each class in its own way.
    """
    if not isinstance(values, dict) or not isinstance(values.get("model_type"), str):
        raise ValueError("there is no 'model_type' in it")
    check_sizes(values)
    config_class = _class(values["model_type"])
    config: PreTrainedConfig = config_class.from_dict(data(values, config_class))
    return config


def _class(model_type: str) -> type[PreTrainedConfig]:
    if model_type not in CONFIG_MAPPING:
        raise ValueError(f"'{model_type}' is an architecture that transformers does not know")
    config_class: type[PreTrainedConfig] = CONFIG_MAPPING[model_type]
    return config_class


def data(values: Mapping[str, Any], config_class: type[PreTrainedConfig]) -> dict[str, Any]:
    """The fields that are kept; those of parts, such as the text part, by the parts' classes."""
    kept_values, names = {}, declared_names(config_class) | _TEXTS
    for name, value in values.items():
        part_class = _part_class(name, value, config_class)
        if part_class is not None:
            kept_values[name] = data(value, part_class)
        elif not _holds_text(value) or name in names:
            kept_values[name] = _with_floats(value)
        elif name.removeprefix("_") in _KERNELS and value in _OWN_KERNELS:
            kept_values[name] = value
    return kept_values


def _part_class(
    name: str, value: Any, config_class: type[PreTrainedConfig]
) -> type[PreTrainedConfig] | None:
    """The class of a configuration inside another; None where the value is none."""
    part_class = getattr(config_class, "sub_configs", {}).get(name)
    if part_class is None or not isinstance(value, dict):
        return None
    is_any = not hasattr(part_class, "model_type")  # whatever the part itself says that it is
    return _class(str(value.get("model_type"))) if is_any else part_class


def _with_floats(value: Any) -> Any:
    """`value` with the infinities that transformers writes, as JSON has none."""
    if isinstance(value, list):
        return [*map(_with_floats, value)]
    return float(value["__float__"]) if _is_float(value) else value


def _is_float(value: Any) -> bool:
    return isinstance(value, dict) and [*value] == ["__float__"]


def _holds_text(value: Any) -> bool:
    if isinstance(value, dict):
        return not _is_float(value) and any(map(_holds_text, value.values()))
    return any(map(_holds_text, value)) if isinstance(value, list) else isinstance(value, str)


def declared_names(config_class: type[PreTrainedConfig]) -> frozenset[str]:
    """What a class of configurations says that it takes, under all names that it has for it."""
    parameters = [
        name
        for ancestor in config_class.__mro__
        if "__init__" in vars(ancestor) and ancestor is not object
        for name in inspect.signature(vars(ancestor)["__init__"]).parameters
    ]
    return frozenset({*parameters, *config_class.attribute_map})


def check_sizes(values: Mapping[str, Any]) -> None:
    """Refuse sizes before anything is built of them: that would take all memory there is.

    Raises:
        ValueError: one that no model has.
    """
    for name, value in values.items():
        most = _most(name)
        if isinstance(value, dict):
            check_sizes(value)
        elif most is not None and isinstance(value, int | float) and not 0 <= value <= most:
            raise ValueError(f"{name} is {value:g}, which no model has")


def _most(name: str) -> int | None:
    if _LAYERS.fullmatch(name):
        return _MOST_LAYERS
    if _WIDTHS.fullmatch(name):
        return _MOST_WIDTH
    return _MOST_WORDS if name == "vocab_size" else None
