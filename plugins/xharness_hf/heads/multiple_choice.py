"""Multiple choice: every choice is read with the prompt and scored; softmax over the choices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from xharness import MultipleChoiceExample, Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import Batch, DeviceAnswers, Feature
from xharness_hf.backbone.placement import IGNORED, Longs, Placement, Targets, filled, pooled
from xharness_hf.backbone.pooling import pool
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.objectives import Logits, argmax, by_example, summed_cross_entropy

_NO_CHOICE = -1  # where a feature has fewer choices than another


class MultipleChoiceTask:
    """As many windows as choices, one score for each."""

    task_type = "multiple_choice"
    fixed_shape = True

    def outputs(self, card: TaskCard) -> int:
        """A single score, so that the head fits any number of choices."""
        return 1

    def features(
        self,
        examples: Sequence[MultipleChoiceExample],
        tokens: Tokens,
        recipe: Recipe,
        *,
        gold: bool,
    ) -> list[Feature]:
        """A feature for each example, a (prompt, choice) window for each choice."""
        prompts = tokens.ids([example.prompt for example in examples])
        choice_ids = iter(
            tokens.ids([choice for example in examples for choice in example.choices])
        )
        features = []
        for index, (example, prompt) in enumerate(zip(examples, prompts, strict=True)):
            windows = tuple(
                tokens.pair(prompt, next(choice_ids), recipe.max_length) for _ in example.choices
            )
            if windows:
                features.append(Feature(windows, index, example.label))
        return features

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each feature."""
        return len(features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """None: windows are pooled."""
        return 0

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """How windows are pooled, which of them are a feature's choices, and the right ones."""
        capacity = placement.capacity
        choices = np.zeros((capacity.features, capacity.choices), dtype=np.int64)
        first = 0
        for row, feature in zip(choices, features, strict=False):
            count = len(feature.windows)
            row[:count], row[count:] = np.arange(first, first + count), _NO_CHOICE
            first += count
        gold = filled([feature.gold for feature in features], capacity.features, IGNORED)
        pooling = placement.pooling(recipe.pooling)
        return {"choices": choices.reshape(-1), "gold": gold} | pooling

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy over each feature's choices."""
        scores = head(pooled(states, targets)).squeeze(-1)
        choices, gold = targets["choices"], targets["gold"]
        # What is no choice looks at the first score, and is masked in the next line.
        logits = scores.index_select(0, choices.clamp(min=0))
        logits = logits.masked_fill(choices == _NO_CHOICE, float("-inf"))
        return summed_cross_entropy(logits.view(len(gold), -1), gold)

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> DeviceAnswers:
        """The index of the best choice of each."""
        return argmax(_scores(states, head, batch, recipe))

    def join(
        self,
        examples: Sequence[MultipleChoiceExample],
        features: Sequence[Feature],
        answers: Sequence[int],
    ) -> list[Prediction]:
        """The answers in the examples' order; 0 where there was nothing to choose from."""
        return [answer or 0 for answer in by_example(features, answers, len(examples))]


def _scores(states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
    """(features, choices), -inf where a feature has fewer choices than another."""
    flat = head(pool(states, batch, recipe.pooling)).squeeze(-1)
    parts = torch.split(flat, [len(feature.windows) for feature in batch.features])
    return torch.nn.utils.rnn.pad_sequence(
        list(parts), batch_first=True, padding_value=float("-inf")
    )
