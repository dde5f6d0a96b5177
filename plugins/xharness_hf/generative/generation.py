"""Answers written freely: greedy, batched by length, the first line of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig

from xharness import Recipe, StageError
from xharness_hf.backbone.batch import Ints
from xharness_hf.backbone.precision import computing
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.generative.language_model import LanguageModel

_ROOM = {"cpu": 4096}  # padded sub-words of the prompts of a batch
_ROOM_ELSEWHERE = 65536


@torch.inference_mode()
def written(
    writer: LanguageModel, tokens: Tokens, prompts: Sequence[Ints], opening: Ints, recipe: Recipe
) -> list[str]:
    """An answer of at most `recipe.answer_length` sub-words to each prompt, "" for silence.

    `opening`: what the decoder of an encoder-decoder begins with.

    Raises:
        StageError: the device's memory does not hold a single prompt.
    """
    writer.module.eval()
    device = writer.embedding.weight.device
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]), reverse=True)
    found = [""] * len(prompts)
    room = _ROOM.get(device.type, _ROOM_ELSEWHERE)
    with computing(writer.module, device, recipe):
        while order:
            longest = len(prompts[order[0]])
            count = max(room // longest, 1)
            some = order[:count]
            try:
                said = _generate(writer, tokens, [prompts[one] for one in some], opening, recipe)
            except torch.OutOfMemoryError:
                said = None
            if said is None and count == 1:
                raise StageError(f"{device} has not enough memory to answer {longest} sub-words")
            if said is None:
                room //= 2
                continue
            order = order[count:]
            for place, text in zip(some, said, strict=True):
                found[place] = text
    return found


def _generate(
    writer: LanguageModel, tokens: Tokens, prompts: Sequence[Ints], opening: Ints, recipe: Recipe
) -> list[str]:
    device = writer.embedding.weight.device
    length = max(len(ids) for ids in prompts)
    ids = np.full((len(prompts), length), tokens.pad, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, own in enumerate(prompts):
        # a decoder goes on where its prompt ends, so padding comes first
        part = slice(0, len(own)) if writer.paired else slice(length - len(own), length)
        ids[row, part], mask[row, part] = own, 1
    inputs = {
        "input_ids": torch.from_numpy(ids).to(device),
        "attention_mask": torch.from_numpy(mask).to(device),
    }
    begun, config = length, _greedy(writer, tokens, recipe)
    if writer.paired:
        begun = len(opening)
        start = np.tile(opening.astype(np.int64), (len(prompts), 1))
        inputs["decoder_input_ids"] = torch.from_numpy(start).to(device)
        config.decoder_start_token_id = int(opening[0])  # another one would be put before it
    said = writer.module.generate(**inputs, generation_config=config)
    return [
        _first_line(str(tokens.tokenizer.decode(row[begun:], skip_special_tokens=True)))
        for row in said.tolist()
    ]


def _greedy(writer: LanguageModel, tokens: Tokens, recipe: Recipe) -> GenerationConfig:
    """Nothing of the model's own habits: no sampling, no beams, no forced sub-words."""
    config: Any = GenerationConfig
    found: GenerationConfig = config(
        max_new_tokens=recipe.max_answer_length,
        do_sample=False,
        num_beams=1,
        use_cache=True,
        pad_token_id=tokens.pad,
        eos_token_id=tokens.tokenizer.eos_token_id,
        bos_token_id=tokens.tokenizer.bos_token_id,
    )
    return found


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0].strip() if lines else ""
