"""Classification: pooled window, one logit for each label."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from xharness import ClassificationExample, Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import Batch, DeviceAnswers, Feature
from xharness_hf.backbone.placement import IGNORED, Longs, Placement, Targets, filled, pooled
from xharness_hf.backbone.pooling import pool
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.objectives import Logits, argmax, by_example, summed_cross_entropy


class ClassificationTask:
    """A text, or two texts in one window."""

    task_type = "classification"
    fixed_shape = True

    def outputs(self, card: TaskCard) -> int:
        """One for each label."""
        return len(card.label_names)

    def features(
        self,
        examples: Sequence[ClassificationExample],
        tokens: Tokens,
        recipe: Recipe,
        *,
        gold: bool,
    ) -> list[Feature]:
        """A window for each example; pairs are cut at the longer text."""
        texts = tokens.ids([example.text for example in examples])
        pairs = tokens.ids([example.pair or "" for example in examples])
        limit = recipe.max_length
        windows = (
            tokens.single(text, limit) if example.pair is None else tokens.pair(text, pair, limit)
            for example, text, pair in zip(examples, texts, pairs, strict=True)
        )
        return [
            Feature((window,), index, example.label)
            for index, (example, window) in enumerate(zip(examples, windows, strict=True))
        ]

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each feature."""
        return len(features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """None: windows are pooled."""
        return 0

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """How windows are pooled, and the labels."""
        gold = [feature.gold for feature in features]
        # For every window there is room for: those that only fill up count for nothing.
        labels = filled(gold, placement.capacity.windows, IGNORED)
        return {"gold": labels} | placement.pooling(recipe.pooling)

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy over the labels."""
        return summed_cross_entropy(head(pooled(states, targets)), targets["gold"])

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> DeviceAnswers:
        """The most likely label of each."""
        return argmax(head(pool(states, batch, recipe.pooling)))

    def join(
        self,
        examples: Sequence[ClassificationExample],
        features: Sequence[Feature],
        answers: Sequence[int],
    ) -> list[Prediction]:
        """The answers in the examples' order."""
        return by_example(features, answers, len(examples))
