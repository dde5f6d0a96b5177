"""An adapter in place: what it adds to the inputs and the parameters of a backbone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from xharness import Adapter

LORA = "lora_"
"""What PEFT puts into the name of every weight of LoRA."""

Embed = Callable[[Tensor], Tensor]
"""Sub-word ids to their input embeddings."""


class AttachedAdapter:
    """An adapter on a backbone's reader: it changes what enters it, or how it computes."""

    def __init__(self, reader: nn.Module, embed: Embed, spec: Adapter, peft: Any) -> None:
        self.spec, self.peft = spec, peft
        self._embed = embed
        if spec.method != "lora":
            enter = self._prompting if spec.method == "prompt" else self._prefixing
            reader.register_forward_pre_hook(enter, with_kwargs=True)
        if self.inserted:
            reader.register_forward_hook(self._leaving)

    @property
    def positions(self) -> int:
        """Positions that the adapter takes from the text."""
        return 0 if self.spec.method == "lora" else self.spec.num_virtual_tokens

    @property
    def inserted(self) -> int:
        """Leading hidden states inside the backbone that are the adapter's own."""
        return self.positions if self.spec.method == "prompt" else 0

    def parameters(self) -> dict[str, nn.Parameter]:
        """The adapter's parameters by PEFT's names."""
        named: dict[str, nn.Parameter] = dict(self.peft.named_parameters())
        return {name: one for name, one in named.items() if LORA in name or "prompt_enc" in name}

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
        words = self._embed(given.pop("input_ids"))
        prompt = self.peft.get_prompt(len(words)).to(
            words.dtype
        )  # the backbone may be read in bf16
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
