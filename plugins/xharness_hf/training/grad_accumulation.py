"""Gradient accumulation: batches computed in parts, in more of them once memory has run out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness import StageError
from xharness_hf.backbone.batch import Feature
from xharness_hf.heads.tasks import COMPARING, TrainingObjective


class GradientAccumulation:
    """In how many parts a batch is computed: the gradients are the same, dropout aside."""

    def __init__(self, count: int) -> None:
        self.count = count

    def of(self, features: Sequence[Feature]) -> list[list[Feature]]:
        """The features in so many parts of nearly equal size, none of them empty."""
        parts = np.array_split(np.arange(len(features)), min(self.count, len(features)))
        return [[features[place] for place in places] for places in parts]

    def halve(self, features: Sequence[Feature], task: TrainingObjective) -> None:
        """From now on in twice as many parts as `features` were, for which memory ran out.

        Raises:
            StageError: a part is a single feature already, or parts would change what is learnt.
        """
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
