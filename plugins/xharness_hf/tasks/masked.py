"""Masked words: MLM on single sentences, TLM on aligned pairs (Conneau and Lample 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from torch import Tensor

from xharness.extend import Objective, Recipe, StageError
from xharness.kinds import BitextExample
from xharness_hf.heads import MASKED
from xharness_hf.tasks.base import Logits, at_marks, summed
from xharness_hf.texts import texts
from xharness_hf.tokens import Tokens
from xharness_hf.windows import Batch, Unit, Window, joined


class Masked:
    """Restores hidden sub-words; the marks of a unit are those that may be hidden."""

    kind = MASKED

    def __init__(self, objective: Objective) -> None:
        self.paired = objective == "tlm"

    def units(
        self, examples: Sequence[Any], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Unit]:
        """MLM: every text by itself. TLM: both sides in one window, in turn the one then other."""
        if self.paired:
            return self._pairs(examples, tokens, recipe.max_length)
        owners = [(place, text) for place, one in enumerate(examples) for text in texts(one)]
        found = []
        for (place, _), ids in zip(owners, tokens.ids([text for _, text in owners]), strict=True):
            window = tokens.single(ids, recipe.max_length)
            last = len(window.ids) - len(tokens.frame.after)
            found.append(Unit((window,), place, None, np.arange(tokens.skip, last, dtype=np.int32)))
        return [unit for unit in found if len(unit.marks)]

    def _pairs(self, examples: Sequence[Any], tokens: Tokens, limit: int) -> list[Unit]:
        if not all(isinstance(one, BitextExample) for one in examples):
            raise StageError("TLM needs aligned sentences", expected="a corpus of kind bitext")
        sources = tokens.ids([one.source for one in examples])
        targets = tokens.ids([one.target for one in examples])
        frame = tokens.frame
        found = []
        for place, sides in enumerate(zip(sources, targets, strict=True)):
            # neither language may always stand first
            window = tokens.pair(*(sides if place % 2 == 0 else sides[::-1]), limit)
            last = len(window.ids) - len(frame.pair_after)
            first = np.arange(len(frame.pair_before), window.second - len(frame.between))
            marks = joined((first.astype(np.int32), np.arange(window.second, last, dtype=np.int32)))
            found.append(Unit((window,), place, None, marks))
        return [unit for unit in found if len(unit.marks)]

    def terms(self, units: Sequence[Unit]) -> int:
        """One for each hidden sub-word."""
        return sum(len(unit.marks) for unit in units)

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Cross-entropy over the vocabulary at the hidden sub-words alone."""
        gold = batch.on_device(joined(unit.gold for unit in batch.units))
        return summed(head(at_marks(states, batch)), gold)


def hide(
    units: Sequence[Unit], mask: int, vocabulary: int, rate: float, random: Generator
) -> list[Unit]:
    """The units with a share `rate` of their marks hidden: 80% masked, 10% random, 10% as is.

    The hidden positions become the marks, what stood there the gold (Devlin et al. 2019).
    """
    found = []
    for unit in units:
        window = unit.windows[0]
        count = max(1, round(rate * len(unit.marks)))
        places = np.sort(random.choice(unit.marks, size=count, replace=False))
        dice = random.random(count)
        gold, ids = window.ids[places], window.ids.copy()
        ids[places[dice < 0.8]] = mask
        swapped = places[dice >= 0.9]
        ids[swapped] = random.integers(vocabulary, size=len(swapped))
        found.append(Unit((Window(ids, window.second),), unit.owner, gold, places))
    return found
