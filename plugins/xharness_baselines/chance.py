"""`random`: a guess for each item, the same one every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xharness import (
    Example,
    ExtractiveQAExample,
    MultipleChoiceExample,
    Prediction,
    Recipe,
    TaggingExample,
    TaskCard,
    TextRole,
    TrainingSession,
    TrainingSet,
)
from xharness_baselines.model import CountingModel

_SEED = "seed"
_WIDTH = 64  # of a vector


class RandomModel(CountingModel):
    """Guesses hang on the seed and the item's id alone, so that no interruption changes them."""

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        self.arrays[_SEED] = np.array([session.seed], dtype=np.int64)
        return {}

    def learn(self, feed: TrainingSet, example: Example) -> None:
        """There is nothing to learn."""

    def answer(self, card: TaskCard, example: Example) -> Prediction:
        # Dice of their own for each item, whatever was answered before it.
        dice, labels = self._dice(card, example), len(card.labels or ())
        if isinstance(example, TaggingExample):
            return [dice.randrange(labels) for _ in example.tokens]
        if isinstance(example, ExtractiveQAExample):
            unanswerable = card.task_type == "extractive_qa_unanswerable" and dice.random() < 0.5
            return "" if unanswerable else dice.choice(example.context.split() or [""])
        if isinstance(example, MultipleChoiceExample):
            return dice.randrange(len(example.choices))
        return dice.randrange(labels)

    def embed(
        self, texts: Sequence[str], recipe: Recipe, role: TextRole = "sentence"
    ) -> NDArray[np.float32]:
        """A direction for each text, any as likely as another; of the seed and the text alone."""
        # A normal draw divided by its length is uniform over directions.
        draws = [np.random.default_rng(self._number(text)) for text in texts]
        directions = np.stack([draw.standard_normal(_WIDTH, dtype=np.float32) for draw in draws])
        return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))

    def _number(self, text: str) -> int:
        return Random(f"{self._seed} {text}").getrandbits(64)

    @property
    def _seed(self) -> int:
        return int(self.arrays[_SEED][0]) if _SEED in self.arrays else 0

    def _dice(self, card: TaskCard, example: Example) -> Random:
        return Random(f"{self._seed} {card.name} {example.id}")
