"""Language models: backbones whose states tell the next sub-word, read as any backbone is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig
from transformers.modeling_outputs import BaseModelOutput

from xharness import Sizes, UnavailableError
from xharness_hf.backbone.backbone import Backbone, input_of
from xharness_hf.backbone.batch import Batch
from xharness_hf.files import loading
from xharness_hf.files.folders import Weights


class LanguageModel(Backbone):
    """A decoder, or an encoder-decoder, which reads a feature's first window and writes others."""

    def __init__(self, lm: Any) -> None:
        super().__init__(lm, causal=not lm.config.is_encoder_decoder)
        self.reader = lm
        self.is_encoder_decoder = bool(lm.config.is_encoder_decoder)
        lm.eval()

    @property
    def output(self) -> nn.Module:
        """What takes states to the vocabulary."""
        output: nn.Module = self.module.get_output_embeddings()
        return output

    def sizes(self) -> Sizes:
        """All parameters; an output matrix that is not the input's counts as embedding too."""
        total = super().sizes().total
        table, output = self.embedding.weight, self.module.get_output_embeddings().weight
        return Sizes(total, table.numel() + (0 if output is table else output.numel()))

    def states(self, batch: Batch, layer: int | None = None) -> Tensor:
        """(windows, length, width) before the vocabulary; zeros for windows that are only read."""
        if not self.is_encoder_decoder:
            return super().states(batch, layer)
        counts = batch.on_device([len(feature.windows) for feature in batch.features])
        # a feature's first window is its source, the others are its answers
        sources = torch.cumsum(counts, 0) - counts
        is_target = torch.ones(len(batch.ids), dtype=torch.bool, device=batch.ids.device)
        is_target[sources] = False
        ids, mask = _without_padding_columns(batch.ids[sources], batch.mask[sources])
        source_states = self.module.get_encoder()(
            input_ids=ids, attention_mask=mask
        ).last_hidden_state
        source_of_target = torch.repeat_interleave(
            torch.arange(len(counts), device=ids.device), counts - 1
        )
        target_ids, target_mask = _without_padding_columns(
            batch.ids[is_target], batch.mask[is_target]
        )
        target_states = self._states_before_output(
            encoder_outputs=BaseModelOutput(last_hidden_state=source_states[source_of_target]),
            attention_mask=mask[source_of_target],
            decoder_input_ids=target_ids,
            decoder_attention_mask=target_mask,
        )
        states = target_states.new_zeros((len(batch.ids), *target_states.shape[1:]))
        states[is_target] = target_states
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Float32 logits over the vocabulary, (..., vocabulary)."""
        # behind the matrix Gemma caps its logits, and BART and Marian add a bias
        logits: Tensor = self.output(states).float()
        cap = getattr(self.module.config, "final_logit_softcapping", None)
        if cap:
            logits = torch.tanh(logits / cap) * cap
        bias = getattr(self.module, "final_logits_bias", None)
        return logits if bias is None else logits + bias[0]

    def _last_states(self, inputs: dict[str, Any]) -> Tensor:
        return self._states_before_output(**inputs)

    def _states_before_output(self, **inputs: Any) -> Tensor:
        """What enters the output matrix."""
        return input_of(self.output, lambda: self.module(**inputs, use_cache=False))

    @torch.inference_mode()
    def check_logits(self) -> None:
        """Whether `logits` is what the model itself says; families differ in what comes after.

        Raises:
            UnavailableError: it is not, or the model sees what comes later.
        """
        # ids that every vocabulary has; the two texts differ at their end
        ids = torch.tensor([[5, 6, 7, 8], [5, 6, 7, 9]], device=self.embedding.weight.device)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self.is_encoder_decoder:
            inputs |= {"input_ids": ids[:1].repeat(2, 1), "decoder_input_ids": ids}
        model_logits = self.module(**inputs, use_cache=False).logits.float()
        computed_logits = self.logits(self._states_before_output(**inputs))
        if not torch.allclose(model_logits, computed_logits, rtol=1e-3, atol=1e-4):
            raise UnavailableError(
                f"how {type(self.module).__name__} comes from states to words is not known here"
            )
        if not torch.allclose(computed_logits[0, :3], computed_logits[1, :3], rtol=1e-3, atol=1e-4):
            raise UnavailableError(
                f"{type(self.module).__name__} reads both ways: it cannot answer in words",
                hint="use 'mode: head'",
            )


def load_language_model(folder: Path, weights: Weights, layers: int | None = None) -> LanguageModel:
    """The language model in `folder` in float32.

    Raises:
        UnavailableError: the files are damaged, or it is none.
        ConfigurationError: it has fewer than `layers` layers.
    """
    config = loading.config(folder, layers)
    auto: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    model = LanguageModel(loading.module(auto, folder, config, weights))
    default_config: Any = GenerationConfig
    # `generate` would else fill in what the folder's files force or punish
    model.module.generation_config = default_config()
    model.check_logits()
    return model


def _without_padding_columns(ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Both without the columns that are padding in every row."""
    length = int(mask.sum(dim=1).max())
    return ids[:, :length], mask[:, :length]
