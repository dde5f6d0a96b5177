"""Answers written freely: greedy, batched by length, the first line of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from xharness import Recipe, StageError
from xharness_hf.backbone.batch import Ints, outputs_not_finite
from xharness_hf.backbone.precision import computing
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.generative.language_model import LanguageModel

_ROOM = {"cpu": 4096}  # padded sub-words of the prompts of a batch, by the type of device
_ROOM_ELSEWHERE = 65536  # to begin with: halved whenever memory runs out


@torch.inference_mode()
def generate(
    model: LanguageModel,
    tokens: Tokens,
    prompts: Sequence[Ints],
    decoder_prefix: Ints,
    recipe: Recipe,
) -> list[str]:
    """An answer of at most `recipe.max_answer_length` sub-words to each prompt, "" for silence.

    `decoder_prefix`: what the decoder of an encoder-decoder begins with.

    Raises:
        StageError: the device's memory does not hold a single prompt, or the model's scores are
            no numbers.
    """
    model.module.eval()
    device = model.embedding.weight.device
    # Longest first: what does not fit shows at once, and all later batches are shorter.
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]), reverse=True)
    answers = [""] * len(prompts)
    room = _ROOM.get(device.type, _ROOM_ELSEWHERE)
    with computing(model.module, device, recipe):
        while order:
            longest = len(prompts[order[0]])
            count = max(room // longest, 1)
            batch = order[:count]
            try:
                texts = _generate(
                    model, tokens, [prompts[index] for index in batch], decoder_prefix, recipe
                )
            except torch.OutOfMemoryError:
                texts = None
            if texts is None and count == 1:
                raise StageError(f"{device} has not enough memory to answer {longest} sub-words")
            # batches to come are shorter, so the smaller room serves them too
            if texts is None:
                room //= 2
                continue
            order = order[count:]
            for index, text in zip(batch, texts, strict=True):
                answers[index] = text
    return answers


def _generate(
    model: LanguageModel,
    tokens: Tokens,
    prompts: Sequence[Ints],
    decoder_prefix: Ints,
    recipe: Recipe,
) -> list[str]:
    device = model.embedding.weight.device
    length = max(len(ids) for ids in prompts)
    ids = np.full((len(prompts), length), tokens.pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        # a decoder goes on where its prompt ends, so padding comes first
        columns = (
            slice(0, len(prompt))
            if model.is_encoder_decoder
            else slice(length - len(prompt), length)
        )
        ids[row, columns], mask[row, columns] = prompt, 1
    inputs = {
        "input_ids": torch.from_numpy(ids).to(device),
        "attention_mask": torch.from_numpy(mask).to(device),
    }
    prompt_length, config = length, _greedy(model, tokens, recipe)
    if model.is_encoder_decoder:
        prompt_length = len(decoder_prefix)
        start = np.tile(decoder_prefix.astype(np.int64), (len(prompts), 1))
        inputs["decoder_input_ids"] = torch.from_numpy(start).to(device)
        config.decoder_start_token_id = int(decoder_prefix[0])  # another one would be put before it
    watch = _FiniteScores()
    generated = model.module.generate(
        **inputs, generation_config=config, logits_processor=LogitsProcessorList([watch])
    )
    watch.check()
    # a model that was not trained to stop goes on with the next question
    return [
        _first_line(str(tokens.tokenizer.decode(row[prompt_length:], skip_special_tokens=True)))
        for row in generated.tolist()
    ]


class _FiniteScores(LogitsProcessor):
    """Notes on the device whether the best score of any sub-word was no number; changes none."""

    def __init__(self) -> None:
        self._are_finite: Tensor | None = None

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        are_finite = scores.amax(dim=-1).isfinite().all()
        earlier = self._are_finite
        self._are_finite = are_finite if earlier is None else earlier & are_finite
        return scores

    def check(self) -> None:
        """Raise a StageError if so."""
        if self._are_finite is not None and not bool(self._are_finite):
            raise outputs_not_finite()


def _greedy(model: LanguageModel, tokens: Tokens, recipe: Recipe) -> GenerationConfig:
    """Nothing of the model's own habits: no sampling, no beams, no forced sub-words."""
    config: Any = GenerationConfig
    settings: GenerationConfig = config(
        max_new_tokens=recipe.max_answer_length,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        pad_token_id=tokens.pad,
        eos_token_id=tokens.tokenizer.eos_token_id,
        bos_token_id=tokens.tokenizer.bos_token_id,
    )
    return settings


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0].strip() if lines else ""
