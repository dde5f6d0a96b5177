"""Gradient accumulation: batches computed in parts, in more of them once memory has run out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from xharness import StageError
from xharness_hf.backbone.batch import Feature
from xharness_hf.heads.tasks import COMPARING, TrainingObjective


class GradientAccumulation:
    """In how many parts a batch is computed: the gradients are the same, dropout aside."""

    def __init__(self, count: int) -> None:
        self.count = count

    def of(self, features: Sequence[Feature]) -> list[list[Feature]]:
        """The features in so many parts of nearly equal size, none of them empty."""
        return [[features[row] for row in rows] for rows in self.rows(np.arange(len(features)))]

    def rows(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """As `of`, of the indices of features in their feed."""
        return np.array_split(rows, min(self.count, len(rows)))

    def divisible(self, features: int, tasks: Iterable[TrainingObjective]) -> bool:
        """Whether so many features of `tasks` can be computed in more parts."""
        return self.count < features and not any(isinstance(task, COMPARING) for task in tasks)

    def halve(self, features: Sequence[Feature], task: TrainingObjective) -> None:
        """From now on in twice as many parts as `features` were, for which memory ran out.

        Raises:
            StageError: a part is a single feature already, or parts would change what is learnt.
        """
        # Fewer pairs at once are fewer negatives: another objective, not only less memory.
        if isinstance(task, COMPARING):
            raise StageError(
                f"not enough memory to tell {len(features)} pairs apart at once",
                hint="lower batch_size or max_length, or set gradient_checkpointing: true",
            )
        if self.count >= len(features):
            longest = max(feature.length for feature in features)
            raise StageError(
                f"not enough memory to learn from one input of {longest} sub-words",
                hint="lower max_length, set gradient_checkpointing: true, or choose another device",
            )
        self.count *= 2
