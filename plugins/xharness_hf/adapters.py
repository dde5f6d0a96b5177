"""Adapters, by PEFT: few parameters learn in place of the body's own, which are held fixed.

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
from torch import Tensor, nn

from xharness.digest import digest
from xharness.extend import StageError
from xharness.study import Adapter
from xharness_hf.bodies import Body

_INSIDE = ".base_layer."  # what PEFT puts into the name of a weight that it stands on
_OWN = "lora_"
_FOLDER, _WEIGHTS, _SPEC = "adapter", "adapter_model.safetensors", "xharness.json"


class Adapted:
    """An adapter that stands on a body's reader: it changes what enters it, or how it computes."""

    def __init__(self, body: Body, spec: Adapter, peft: Any) -> None:
        self.spec, self.peft = spec, peft
        self._body = body
        if spec.method != "lora":
            enter = self._prompting if spec.method == "prompt" else self._prefixing
            body.reader.register_forward_pre_hook(enter, with_kwargs=True)
        if self.inserted:
            body.reader.register_forward_hook(self._leaving)

    @property
    def positions(self) -> int:
        """Positions that the adapter takes from the text."""
        return 0 if self.spec.method == "lora" else self.spec.virtual_tokens

    @property
    def inserted(self) -> int:
        """Leading hidden states inside the body that are the adapter's own."""
        return self.positions if self.spec.method == "prompt" else 0

    def parameters(self) -> dict[str, nn.Parameter]:
        """The adapter's parameters by PEFT's names."""
        named: dict[str, nn.Parameter] = dict(self.peft.named_parameters())
        return {name: one for name, one in named.items() if _OWN in name or "prompt_enc" in name}

    def learn(self) -> None:
        """Let the adapter learn, and nothing else; layers drop out, as it acts through them."""
        self.peft.train()
        for parameter in self.parameters().values():
            parameter.requires_grad_(True)

    def _prefixing(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        rows = len(kwargs["input_ids"])
        positions = kwargs.get("position_ids")
        more = {} if positions is None else {"position_ids": positions + self.positions}
        more["attention_mask"] = self._before(kwargs["attention_mask"], 1)
        return args, kwargs | more | {"past_key_values": self.peft.get_prompt(rows)}

    def _prompting(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        given = dict(kwargs)
        words = self._body.embedding(given.pop("input_ids"))
        prompt = self.peft.get_prompt(len(words)).to(words.dtype)  # the body may be read in bf16
        given["inputs_embeds"] = torch.cat([prompt, words], dim=1)
        given["attention_mask"] = self._before(given["attention_mask"], 1)
        if "token_type_ids" in given:
            given["token_type_ids"] = self._before(given["token_type_ids"], 0)
        if "position_ids" in given:  # the text's, which need not begin with 0
            text = given["position_ids"]
            first = torch.arange(self.positions, device=text.device) + text[:, :1]
            given["position_ids"] = torch.cat([first, text + self.positions], dim=1)
        return args, given

    def _leaving(self, module: nn.Module, args: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state[:, self.inserted :]
        return output

    def _before(self, rows: Tensor, value: int) -> Tensor:
        return torch.cat([rows.new_full((len(rows), self.positions), value), rows], dim=1)


def prepare(body: Body, wanted: Adapter | None, seed: int) -> None:
    """Give `body` the adapter that is `wanted`; the same one learns on.

    LoRA that is not wanted any more becomes part of the weights.

    Raises:
        StageError: the body cannot carry it, or carries a prompt or prefix that is not wanted.
    """
    if body.adapter is not None and body.adapter.spec != wanted:
        merge(body)
    if wanted is not None and body.adapter is None:
        _attach(body, wanted, seed)


def finish(body: Body, wanted: Adapter | None) -> None:
    """When training has ended: merge what was to be merged."""
    if wanted is not None and wanted.merge:
        merge(body)


def merge(body: Body) -> None:
    """Add LoRA's change to the weights; an ordinary body is left.

    Raises:
        StageError: prompts and prefixes have no place in the weights.
    """
    adapter = body.adapter
    assert adapter is not None
    if adapter.spec.method != "lora":
        raise StageError(
            f"the model carries a {adapter.spec.method} of {adapter.spec.virtual_tokens} vectors, "
            "which cannot become part of its weights",
            hint="give every training of the route the same 'adapter', or use lora",
        )
    adapter.peft.merge_and_unload()
    body.adapter, body.origin = None, ()


def save(adapter: Adapted, model: Path) -> None:
    """Write the adapter beside the body in `model`, as PEFT reads it; no path goes into it."""
    from peft import get_peft_model_state_dict

    folder = model / _FOLDER
    folder.mkdir(exist_ok=True)
    weights = get_peft_model_state_dict(adapter.peft, save_embedding_layers=False)
    found = {name: one.detach().cpu().contiguous() for name, one in weights.items()}
    save_file(found, folder / _WEIGHTS)
    config = adapter.peft.active_peft_config.to_dict() | {"base_model_name_or_path": None}
    text = json.dumps(config, default=_plain, indent=1, sort_keys=True)
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")
    (folder / _SPEC).write_text(json.dumps(adapter.spec.meaning(), indent=1), encoding="utf-8")


def load(body: Body, model: Path) -> None:
    """Put the adapter that `save` wrote, if any, on the body that it stood on."""
    from peft import PeftConfig, set_peft_model_state_dict

    folder = model / _FOLDER
    if not folder.is_dir():
        return
    spec = Adapter(**json.loads((folder / _SPEC).read_text(encoding="utf-8")))
    peft = _put(body, PeftConfig.from_pretrained(str(folder)))
    set_peft_model_state_dict(peft, load_file(folder / _WEIGHTS))
    body.adapter = Adapted(body, spec, peft)


def without(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A body's weights under their own names, those of LoRA left out."""
    return {name.replace(_INSIDE, "."): one for name, one in weights.items() if _OWN not in name}


def _attach(body: Body, spec: Adapter, seed: int) -> None:
    if spec.method == "prompt" and (body.vocabulary is None or not _takes(body, "inputs_embeds")):
        raise _refused(body, spec, "it takes no vectors in place of sub-words")
    if spec.method == "prefix" and not _takes(body, "past_key_values"):
        raise _refused(body, spec, "it takes no keys and values from outside")
    torch.manual_seed(int(digest([seed, "adapter"])[:15], 16))
    try:
        body.adapter = Adapted(body, spec, _put(body, _config(body, spec)))
        _check_that_it_acts(body, spec)
    except (ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise _refused(body, spec, (str(error).splitlines() or ["no reason given"])[0]) from error


def _put(body: Body, config: Any) -> Any:
    from peft import get_peft_model

    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # of PEFT's own code
        return get_peft_model(body.reader, config)


def _config(body: Body, spec: Adapter) -> Any:
    from peft import LoraConfig, PrefixTuningConfig, PromptTuningConfig
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

    common: dict[str, Any] = {"task_type": "FEATURE_EXTRACTION"}
    heads = body.reader.config.num_attention_heads  # PEFT does not know it by every family's name
    vectors = {"num_virtual_tokens": spec.virtual_tokens, "num_attention_heads": heads, **common}
    if spec.method == "prefix":
        return PrefixTuningConfig(**vectors)
    if spec.method == "prompt":  # words of the vocabulary to begin with, as in Lester et al., 3.2
        return PromptTuningConfig(prompt_tuning_init="SAMPLE_VOCAB", **vectors)
    unknown = None if body.reader.config.model_type in KNOWN else "all-linear"
    return LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,  # type: ignore[arg-type]
        lora_dropout=spec.dropout,
        target_modules=list(spec.targets) if spec.targets else unknown,
        **common,
    )


@torch.no_grad()
def _check_that_it_acts(body: Body, spec: Adapter) -> None:
    """Some bodies take what an adapter gives them and do nothing with it."""
    if spec.method != "prefix":
        return
    body.module.eval()
    ids = torch.tensor([[5, 6, 7]], device=next(body.reader.parameters()).device)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    before = body.reader(**inputs).last_hidden_state
    for parameter in body.adapter.parameters().values() if body.adapter else ():
        parameter.mul_(2)
        after = body.reader(**inputs).last_hidden_state
        parameter.div_(2)
        if torch.equal(before, after):
            raise ValueError("it does not read the keys and values that it is given")


def _takes(body: Body, name: str) -> bool:
    return name in inspect.signature(body.reader.forward).parameters


def _refused(body: Body, spec: Adapter, reason: str) -> StageError:
    family = body.reader.config.model_type
    return StageError(
        f"no {spec.method} on a body of the family '{family}': {reason}",
        hint="name the linear layers under 'targets'"
        if spec.method == "lora"
        else "lora works on every body",
    )


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else str(value)
