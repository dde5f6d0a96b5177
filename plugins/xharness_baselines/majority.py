"""`majority`: the label that was seen most often, whatever the text says; or that there is none."""

from __future__ import annotations

import numpy as np

from xharness import (
    Example,
    ExtractiveQAExample,
    Prediction,
    TaggingExample,
    TaskCard,
    TrainingSet,
)
from xharness_baselines.model import CountingModel, gold


class MajorityModel(CountingModel):
    """Counts of labels; of equally frequent ones the first wins.

    The one answer that fits every question of a `extractive_qa_unanswerable` is that there is none.
    """

    def learn(self, feed: TrainingSet, example: Example) -> None:
        counts = self.grow(feed.head, len(feed.card.label_names))
        np.add.at(counts, list(gold(example)), 1)

    def answer(self, card: TaskCard, example: Example) -> Prediction:
        # No text is the majority of answers, but "no answer" is the same for all questions.
        if isinstance(example, ExtractiveQAExample):
            return ""
        label = int(self.head(card).argmax())
        return [label] * len(example.tokens) if isinstance(example, TaggingExample) else label
