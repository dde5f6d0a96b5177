"""Multiple choice: every choice is read with the prompt and scored; softmax over the choices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xharness import MultipleChoiceExample, Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import Batch, Feature
from xharness_hf.backbone.pooling import pool
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.objectives import Logits, argmax, by_example, summed_cross_entropy


class MultipleChoiceTask:
    """As many windows as choices, one score for each."""

    kind = "multiple_choice"

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

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Cross-entropy over each feature's choices."""
        gold = batch.on_device([feature.gold for feature in batch.features])
        return summed_cross_entropy(_scores(states, head, batch, recipe), gold)

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> list[int]:
        """The place of the best choice of each."""
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
