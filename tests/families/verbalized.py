"""Toy cards that say how their items are put into words."""

from __future__ import annotations

from typing import Any

from tests.hf import tiny
from xharness.plugin.api import TrainingSet
from xharness.spec.cards import TaskCard
from xharness.spec.verbalizer import Verbalizer
from xharness.testing import toy_card, toy_examples


def card(task_type: str, **changes: Any) -> TaskCard:
    """The toy card of `task_type`, with `changes` of its verbalizer and in no language yet."""
    toy = toy_card(task_type, in_words=True)
    assert toy.verbalizer is not None
    verbalizer = Verbalizer(**toy.verbalizer.model_dump(exclude_unset=True) | changes)
    return toy.model_copy(update={"verbalizer": verbalizer})


def feed(task_type: str, count: int = 96, objective: Any = "task") -> TrainingSet:
    """A training set of it."""
    feed_card = card(task_type)
    examples = toy_examples(task_type, count)
    return TrainingSet(
        feed_card, tiny.TASK_TYPES[task_type], objective, feed_card.head_name, examples
    )
