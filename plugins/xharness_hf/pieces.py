"""Pieces: a training's batches computed in parts, in more of them once memory has run out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.extend import StageError
from xharness_hf.tasks import COMPARING, Lessons
from xharness_hf.windows import Unit


class Pieces:
    """In how many parts a batch is computed: the gradients are the same, dropout aside."""

    def __init__(self, count: int) -> None:
        self.count = count

    def of(self, units: Sequence[Unit]) -> list[list[Unit]]:
        """The units in so many parts of nearly equal size, none of them empty."""
        parts = np.array_split(np.arange(len(units)), min(self.count, len(units)))
        return [[units[place] for place in places] for places in parts]

    def halve(self, units: Sequence[Unit], task: Lessons) -> None:
        """From now on in twice as many parts as `units` were, for which memory ran out.

        Raises:
            StageError: a part is a single unit already, or parts would change what is learnt.
        """
        if isinstance(task, COMPARING):
            raise StageError(
                f"not enough memory to tell {len(units)} pairs apart at once",
                hint="lower batch_size or max_length, or set gradient_checkpointing: true",
            )
        if self.count >= len(units):
            longest = max(unit.length for unit in units)
            raise StageError(
                f"not enough memory to learn from one input of {longest} sub-words",
                hint="lower max_length, set gradient_checkpointing: true, or choose another device",
            )
        self.count *= 2
