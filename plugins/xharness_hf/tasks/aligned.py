"""Aligned words: translations get like bags of sub-word embeddings (`align`).

Translation ranking (Feng et al. 2022, LaBSE, section 2.2: in-batch negatives, both directions), on
the mean of sub-word embeddings as in bilingual bag-of-words models (Gouws et al. 2015, BilBOWA).
No layer is read, so a second of it does for a small model what minutes of TLM do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from xharness.extend import Recipe, StageError
from xharness.kinds import BitextExample
from xharness_hf.pooling import pool
from xharness_hf.tasks.base import Logits, summed
from xharness_hf.tasks.paired import sharing
from xharness_hf.tokens import Tokens
from xharness_hf.windows import Batch, Unit, Window

_TEMPERATURE = 0.2


class Aligned:
    """Finds each sentence's translation in the batch; a unit is the two sides, without specials."""

    kind = "align"

    def units(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Unit]:
        """One for each pair of sentences that have sub-words at all."""
        if not all(isinstance(one, BitextExample) for one in examples):
            raise StageError("'align' needs aligned sentences", expected="a corpus of kind bitext")
        sides = [
            [ids[: recipe.max_length] for ids in tokens.ids(side)]
            for side in ([one.source for one in examples], [one.target for one in examples])
        ]
        return [
            Unit(tuple(Window(ids, len(ids)) for ids in pair), place)
            for place, pair in enumerate(zip(*sides, strict=True))
            if all(len(ids) for ids in pair)
        ]

    def terms(self, units: Sequence[Unit]) -> int:
        """One for each side of each pair."""
        return 2 * len(units)

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Cross-entropy of the translation's place among the batch's, from either side."""
        vectors = functional.normalize(pool(states, batch, "mean"))
        alike = vectors[0::2] @ vectors[1::2].T / _TEMPERATURE
        alike = alike.masked_fill(batch.on_device(sharing(batch.units), torch.bool), -torch.inf)
        gold = torch.arange(len(alike), device=alike.device)
        return summed(alike, gold) + summed(alike.T, gold)


def as_is(states: Tensor) -> Tensor:
    """In place of a head: aligning needs none."""
    return states
