"""Tagging: one sub-word of a word carries its tag; long sentences are split, not cut.

In an encoder it is the first, as in BERT and XTREME. In a decoder it is the last: the first has
seen nothing yet of the rest of its word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from torch import Tensor

from xharness import Prediction, Recipe, TaggingExample, TaskCard
from xharness_hf.backbone.batch import (
    Batch,
    DeviceAnswers,
    Feature,
    Ints,
    best_indices,
    joined,
)
from xharness_hf.backbone.placement import Longs, Placement, Targets
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.objectives import Logits, loss_at_marks, mark_targets, states_at_marks


class TaggingTask:
    """Windows that together hold every word of a sentence exactly once."""

    task_type = "tagging"
    fixed_shape = True

    def outputs(self, card: TaskCard) -> int:
        """One for each label."""
        return len(card.label_names)

    def features(
        self, examples: Sequence[TaggingExample], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """As many windows for each sentence as it needs, split between words."""
        ids_of_word = tokens.word_ids(word for example in examples for word in example.tokens)
        room = recipe.max_length - len(tokens.frame.prefix) - len(tokens.frame.suffix)
        features = []
        for index, example in enumerate(examples):
            words = [ids_of_word[word] for word in example.tokens]
            for first, last in split([len(word) for word in words], room):
                window = tokens.single(joined(words[first:last]), recipe.max_length)
                # a word longer than the window is cut and keeps its tag
                lengths = np.array([min(len(word), room) for word in words[first:last]])
                ends = tokens.skip + np.cumsum(lengths)
                marks = (ends - 1 if tokens.causal else ends - lengths).astype(np.int32)
                tags = np.array(example.tags[first:last], dtype=np.int32) if gold else None
                features.append(Feature((window,), index, tags, marks))
        return features

    def terms(self, features: Sequence[Feature]) -> int:
        """One for each word."""
        return sum(len(feature.marks) for feature in features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """One for each word."""
        return len(feature.marks)

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """The words' positions and tags."""
        pairs = zip(features, placement.starts, strict=True)
        positions = [feature.marks + start for feature, start in pairs]
        return mark_targets(positions, [feature.gold for feature in features], placement)

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy over the words' tags."""
        return loss_at_marks(states, head, targets)

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> DeviceAnswers:
        """The most likely tag of each of a feature's words."""
        tags = best_indices(head(states_at_marks(states, batch))).int()
        borders = np.cumsum([len(feature.marks) for feature in batch.features])[:-1]
        return DeviceAnswers(tags, partial(np.split, indices_or_sections=borders))

    def join(
        self,
        examples: Sequence[TaggingExample],
        features: Sequence[Feature],
        answers: Sequence[Ints],
    ) -> list[Prediction]:
        """The windows' tags put together again, one for each word."""
        tags_by_example: list[Prediction] = [[] for _ in examples]
        for feature, tags in zip(features, answers, strict=True):
            tags_by_example[feature.owner] += tags.tolist()
        return tags_by_example


def split(lengths: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Stretches (first, last) of words, each at most `room` sub-words or a single longer word."""
    first = num_subwords = 0
    for index, length in enumerate(lengths):
        if index > first and num_subwords + length > room:
            yield first, index
            first, num_subwords = index, 0
        num_subwords += length
    if lengths:
        yield first, len(lengths)
