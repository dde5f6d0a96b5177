"""Toy cards that say how their items are put into words."""

from __future__ import annotations

from typing import Any

from tests.hf import tiny
from xharness.plugin.api import TrainingSet
from xharness.spec.cards import TaskCard
from xharness.spec.verbalizer import Verbalizer
from xharness.testing import toy_card, toy_examples

_WORDS: dict[str, dict[str, Any]] = {
    "classification": {"prompt": "{text} who", "answers": {"no-bird": "stone", "bird": "river"}},
    "multiple_choice": {"prompt": "{prompt}"},
    "extractive_qa": {"prompt": "{context} {question}"},
}


def card(kind: str, **changes: Any) -> TaskCard:
    """The toy card of `kind` with a verbaliser."""
    spoken = Verbalizer(**_WORDS[kind] | changes)
    return toy_card(kind).model_copy(update={"verbalizer": spoken})


def feed(kind: str, count: int = 96, objective: Any = "task") -> TrainingSet:
    """A training set of it."""
    own = card(kind)
    examples = toy_examples(kind, count)
    return TrainingSet(own, tiny.KINDS[kind], objective, own.head_name, examples)
