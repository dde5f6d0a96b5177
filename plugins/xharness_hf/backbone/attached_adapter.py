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
            change_inputs = self._add_prompt if spec.method == "prompt" else self._add_prefix
            reader.register_forward_pre_hook(change_inputs, with_kwargs=True)
        # heads and losses see the states of the text alone
        if self.inserted:
            reader.register_forward_hook(self._drop_prompt_states)

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
        by_name: dict[str, nn.Parameter] = dict(self.peft.named_parameters())
        return {
            name: parameter
            for name, parameter in by_name.items()
            if LORA in name or "prompt_enc" in name
        }

    def learn(self) -> None:
        """Let the adapter learn, and nothing else; layers drop out, as it acts through them."""
        self.peft.train()
        for parameter in self.parameters().values():
            parameter.requires_grad_(True)

    def _add_prefix(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        rows = len(kwargs["input_ids"])
        positions = kwargs.get("position_ids")
        # the text goes on counting where the prefix ends
        changes = {} if positions is None else {"position_ids": positions + self.positions}
        changes["attention_mask"] = self._prepend(kwargs["attention_mask"], 1)
        return args, kwargs | changes | {"past_key_values": self.peft.get_prompt(rows)}

    def _add_prompt(self, module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        inputs = dict(kwargs)
        word_vectors = self._embed(inputs.pop("input_ids"))
        # the backbone may be read in bf16, the adapter stays in float32
        prompt = self.peft.get_prompt(len(word_vectors)).to(word_vectors.dtype)
        inputs["inputs_embeds"] = torch.cat([prompt, word_vectors], dim=1)
        inputs["attention_mask"] = self._prepend(inputs["attention_mask"], 1)
        if "token_type_ids" in inputs:
            inputs["token_type_ids"] = self._prepend(inputs["token_type_ids"], 0)
        if "position_ids" in inputs:  # the text's, which need not begin with 0
            positions = inputs["position_ids"]
            first = torch.arange(self.positions, device=positions.device) + positions[:, :1]
            inputs["position_ids"] = torch.cat([first, positions + self.positions], dim=1)
        return args, inputs

    def _drop_prompt_states(self, module: nn.Module, args: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state[:, self.inserted :]
        return output

    def _prepend(self, rows: Tensor, value: int) -> Tensor:
        return torch.cat([rows.new_full((len(rows), self.positions), value), rows], dim=1)
