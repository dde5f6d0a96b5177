"""Language models: backbones whose states tell the next sub-word, read as any backbone is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig
from transformers.modeling_outputs import BaseModelOutput

from xharness import Sizes, UnavailableError
from xharness_hf.backbone.backbone import Backbone
from xharness_hf.backbone.batch import Batch
from xharness_hf.files import loading
from xharness_hf.files.folders import Weights


class _CaughtError(Exception):
    """The states before the vocabulary were seen; the logits need not be computed."""


class LanguageModel(Backbone):
    """A decoder, or an encoder-decoder, which reads a feature's first window and writes others."""

    def __init__(self, lm: Any) -> None:
        super().__init__(lm, causal=not lm.config.is_encoder_decoder)
        self.reader = lm
        self.paired = bool(lm.config.is_encoder_decoder)
        lm.eval()

    @property
    def output(self) -> nn.Module:
        """What takes states to the vocabulary."""
        found: nn.Module = self.module.get_output_embeddings()
        return found

    def sizes(self) -> Sizes:
        """All parameters; an output matrix that is not the input's counts as embedding too."""
        total = super().sizes().total
        table, output = self.embedding.weight, self.module.get_output_embeddings().weight
        return Sizes(total, table.numel() + (0 if output is table else output.numel()))

    def states(self, batch: Batch, layer: int | None = None) -> Tensor:
        """(windows, length, width) before the vocabulary; zeros for windows that are only read."""
        if not self.paired:
            return super().states(batch, layer)
        counts = batch.on_device([len(feature.windows) for feature in batch.features])
        sources = torch.cumsum(counts, 0) - counts
        written = torch.ones(len(batch.ids), dtype=torch.bool, device=batch.ids.device)
        written[sources] = False
        ids, mask = _short(batch.ids[sources], batch.mask[sources])
        read = self.module.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        own = torch.repeat_interleave(torch.arange(len(counts), device=ids.device), counts - 1)
        answers, answered = _short(batch.ids[written], batch.mask[written])
        found = self._caught(
            encoder_outputs=BaseModelOutput(last_hidden_state=read[own]),
            attention_mask=mask[own],
            decoder_input_ids=answers,
            decoder_attention_mask=answered,
        )
        states = found.new_zeros((len(batch.ids), *found.shape[1:]))
        states[written] = found
        return states

    def next_words(self, states: Tensor) -> Tensor:
        """Float32 logits over the vocabulary, (..., vocabulary)."""
        logits: Tensor = self.output(states).float()
        cap = getattr(self.module.config, "final_logit_softcapping", None)
        if cap:
            logits = torch.tanh(logits / cap) * cap
        bias = getattr(self.module, "final_logits_bias", None)
        return logits if bias is None else logits + bias[0]

    def _last(self, inputs: dict[str, Any]) -> Tensor:
        return self._caught(**inputs)

    def _caught(self, **inputs: Any) -> Tensor:
        """What enters the output matrix."""
        caught: list[Tensor] = []

        def stop(module: nn.Module, args: Any) -> None:
            caught.append(args[0])
            raise _CaughtError

        handle = self.output.register_forward_pre_hook(stop)
        try:
            self.module(**inputs, use_cache=False)
        except _CaughtError:
            pass
        finally:
            handle.remove()
        return caught[0]

    @torch.inference_mode()
    def check(self) -> None:
        """Whether `next_words` is what the model itself says; families differ in what comes after.

        Raises:
            UnavailableError: it is not, or the model sees what comes later.
        """
        ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]], device=self.embedding.weight.device)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self.paired:
            inputs |= {"input_ids": ids[:1].repeat(2, 1), "decoder_input_ids": ids}
        said = self.module(**inputs, use_cache=False).logits.float()
        mine = self.next_words(self._caught(**inputs))
        if not torch.allclose(said, mine, rtol=1e-3, atol=1e-4):
            raise UnavailableError(
                f"how {type(self.module).__name__} comes from states to words is not known here"
            )
        if not torch.allclose(mine[0, :3], mine[1, :3], rtol=1e-3, atol=1e-4):
            raise UnavailableError(
                f"{type(self.module).__name__} reads both ways: it cannot answer in words",
                hint="use 'mode: head'",
            )


def writer(folder: Path, weights: Weights, layers: int | None = None) -> LanguageModel:
    """The language model in `folder` in float32.

    Raises:
        UnavailableError: the files are damaged, or it is none.
        ConfigurationError: it has fewer than `layers` layers.
    """
    config = loading.config(folder, layers)
    auto: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    found = LanguageModel(loading.module(auto, folder, config, weights))
    plain: Any = GenerationConfig  # `generate` would fill in what its files force or punish
    found.module.generation_config = plain()
    found.check()
    return found


def _short(ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Both without the columns that are padding in every row."""
    length = int(mask.sum(dim=1).max())
    return ids[:, :length], mask[:, :length]
