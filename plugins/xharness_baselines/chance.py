"""`random`: a guess for each item, the same one every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np

from xharness.extend import Example, Prediction, Recipe, Session, TaskCard, TrainingSet
from xharness.kinds import BitextExample, ChoiceExample, SpanExample, TaggingExample
from xharness_baselines.model import CountingModel

_SEED = "seed"


class RandomModel(CountingModel):
    """Guesses hang on the seed and the item's id alone, so that no interruption changes them."""

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: Session
    ) -> Mapping[str, Any]:
        self.arrays[_SEED] = np.array([session.seed], dtype=np.int64)
        return {}

    def learn(self, feed: TrainingSet, example: Example) -> None:
        """There is nothing to learn."""

    def answer(self, card: TaskCard, example: Example) -> Prediction:
        dice, labels = self._dice(card, example), len(card.labels or ())
        if isinstance(example, TaggingExample):
            return [dice.randrange(labels) for _ in example.tokens]
        if isinstance(example, SpanExample):
            return dice.choice(example.context.split() or [""])
        if isinstance(example, ChoiceExample):
            return dice.randrange(len(example.choices))
        return dice.randrange(labels)

    def answer_all(self, card: TaskCard, examples: Sequence[Example]) -> Sequence[Prediction]:
        places = [one.label for one in examples if isinstance(one, BitextExample)]
        return [self._dice(card, example).choice(places) for example in examples]

    def _dice(self, card: TaskCard, example: Example) -> Random:
        seed = int(self.arrays[_SEED][0]) if _SEED in self.arrays else 0
        return Random(f"{seed} {card.name} {example.id}")
