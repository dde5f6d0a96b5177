"""Adapters, by PEFT: few parameters learn in place of the backbone's own, which are held fixed.

LoRA adds a product of two thin matrices to linear layers (Hu et al. 2021, 2106.09685); prompt
tuning puts learnt vectors before the text's own (Lester et al. 2021, 2104.08691); prefix tuning
gives every layer learnt keys and values (Li and Liang 2021, 2101.00190).
"""

from __future__ import annotations

import inspect
import json
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from xharness import Adapter, StageError, digest, read_json
from xharness_hf.backbone.attached_adapter import LORA, AttachedAdapter
from xharness_hf.backbone.backbone import Backbone

_WRAPPED = ".base_layer."  # what PEFT puts into the name of a weight that it stands on
_FOLDER, _WEIGHTS, _SPEC = "adapter", "adapter_model.safetensors", "xharness.json"


def prepare(backbone: Backbone, spec: Adapter | None, seed: int) -> None:
    """Give `backbone` the adapter of `spec`; the same one learns on.

    LoRA that `spec` no longer asks for becomes part of the weights.

    Raises:
        StageError: the backbone cannot carry it, or carries another prompt or prefix.
    """
    if backbone.adapter is not None and backbone.adapter.spec != spec:
        merge(backbone)
    if spec is not None and backbone.adapter is None:
        _attach(backbone, spec, seed)


def finish(backbone: Backbone, spec: Adapter | None) -> None:
    """When training has ended: merge what was to be merged."""
    if spec is not None and spec.merge:
        merge(backbone)


def merge(backbone: Backbone) -> None:
    """Add LoRA's change to the weights; an ordinary backbone is left.

    Raises:
        StageError: prompts and prefixes have no place in the weights.
    """
    adapter = backbone.adapter
    assert adapter is not None
    if adapter.spec.method != "lora":
        raise StageError(
            f"the model carries a {adapter.spec.method} of {adapter.spec.num_virtual_tokens} "
            "vectors, which cannot become part of its weights",
            hint="give every training of the route the same 'adapter', or use lora",
        )
    # afterwards the weights are no longer those of the files they came from
    adapter.peft.merge_and_unload()
    backbone.adapter, backbone.origin = None, ()


def save(adapter: AttachedAdapter, model: Path) -> None:
    """Write the adapter beside the backbone in `model`, as PEFT reads it; no path goes into it."""
    from peft import get_peft_model_state_dict

    folder = model / _FOLDER
    folder.mkdir(exist_ok=True)
    # PEFT would else ask the hub whether the vocabulary has grown
    weights = get_peft_model_state_dict(adapter.peft, save_embedding_layers=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    save_file(tensors, folder / _WEIGHTS)
    # a path of this machine would make equal models differ
    config = adapter.peft.active_peft_config.to_dict() | {"base_model_name_or_path": None}
    text = json.dumps(config, default=_json_value, indent=1, sort_keys=True)
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")
    (folder / _SPEC).write_text(json.dumps(adapter.spec.meaning(), indent=1), encoding="utf-8")


def load(backbone: Backbone, model: Path) -> None:
    """Put the adapter that `save` wrote, if any, on the backbone that it stood on."""
    from peft import PeftConfig, set_peft_model_state_dict

    folder = model / _FOLDER
    if not folder.is_dir():
        return
    spec = Adapter(**read_json(folder / _SPEC))
    peft = _wrapped(backbone, PeftConfig.from_pretrained(str(folder)))
    set_peft_model_state_dict(peft, load_file(folder / _WEIGHTS))
    backbone.adapter = _attached(backbone, spec, peft)


def without_lora(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A backbone's weights under their own names, those of LoRA left out."""
    return {
        name.replace(_WRAPPED, "."): tensor for name, tensor in weights.items() if LORA not in name
    }


def _attach(backbone: Backbone, spec: Adapter, seed: int) -> None:
    if spec.method == "prompt" and (
        backbone.vocabulary is None or not _accepts(backbone, "inputs_embeds")
    ):
        raise _unsupported(backbone, spec, "it takes no vectors in place of sub-words")
    if spec.method == "prefix" and not _accepts(backbone, "past_key_values"):
        raise _unsupported(backbone, spec, "it takes no keys and values from outside")
    # PEFT draws from the global generator and takes no other
    torch.manual_seed(int(digest([seed, "adapter"])[:15], 16))
    try:
        backbone.adapter = _attached(backbone, spec, _wrapped(backbone, _config(backbone, spec)))
        _check_effect(backbone, spec)
    except (ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise _unsupported(
            backbone, spec, (str(error).splitlines() or ["no reason given"])[0]
        ) from error


def _attached(backbone: Backbone, spec: Adapter, peft: Any) -> AttachedAdapter:
    # a backbone may have no table of sub-words: only a prompt asks for it
    return AttachedAdapter(backbone.reader, lambda ids: backbone.embedding(ids), spec, peft)


def _wrapped(backbone: Backbone, config: Any) -> Any:
    from peft import get_peft_model

    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of PEFT's own code
        return get_peft_model(backbone.reader, config)


def _config(backbone: Backbone, spec: Adapter) -> Any:
    from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as LORA_TARGETS

    common: dict[str, Any] = {"task_type": "FEATURE_EXTRACTION"}
    # PEFT does not know it by every family's name
    heads = backbone.reader.config.num_attention_heads
    vectors = {
        "num_virtual_tokens": spec.num_virtual_tokens,
        "num_attention_heads": heads,
        **common,
    }
    if spec.method == "prefix":
        return PrefixTuningConfig(**vectors)
    if spec.method == "prompt":  # words of the vocabulary to begin with, as in Lester et al., 3.2
        return PromptTuningConfig(prompt_tuning_init="SAMPLE_VOCAB", **vectors)
    has_default = backbone.reader.config.model_type in LORA_TARGETS
    default_targets = None if has_default else "all-linear"
    return LoraConfig(
        r=spec.r,
        lora_alpha=spec.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=spec.lora_dropout,
        target_modules=list(spec.target_modules) if spec.target_modules else default_targets,
        **common,
    )


@torch.no_grad()
def _check_effect(backbone: Backbone, spec: Adapter) -> None:
    """Some backbones take what an adapter gives them and do nothing with it."""
    if spec.method != "prefix":
        return
    backbone.module.eval()
    ids = torch.tensor([[5, 6, 7]], device=next(backbone.reader.parameters()).device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    base_states = backbone.reader(**inputs).last_hidden_state
    # doubled keys that change no state are not attended to
    for parameter in backbone.adapter.parameters().values() if backbone.adapter else ():
        parameter.mul_(2)
        changed_states = backbone.reader(**inputs).last_hidden_state
        parameter.div_(2)
        if torch.equal(base_states, changed_states):
            raise ValueError("it does not read the keys and values that it is given")


def _accepts(backbone: Backbone, name: str) -> bool:
    return name in inspect.signature(backbone.reader.forward).parameters


def _unsupported(backbone: Backbone, spec: Adapter, reason: str) -> StageError:
    family = backbone.reader.config.model_type
    return StageError(
        f"no {spec.method} on a backbone of the family '{family}': {reason}",
        hint="name the linear layers under 'target_modules'"
        if spec.method == "lora"
        else "lora works on every backbone",
    )


def _json_value(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else str(value)
