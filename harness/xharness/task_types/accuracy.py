"""Accuracy: the share of items answered exactly right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from xharness.spec.cards import TaskCard
from xharness.task_types.base import ConstantAnswer, Metric, Prediction, ratio


class _Labelled(Protocol):
    @property
    def label(self) -> int: ...


def _item(
    example: _Labelled, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float]:
    return float(prediction == example.label), 1.0


def commonest_label(examples: Iterable[_Labelled]) -> ConstantAnswer:
    """The gold label that most items have, for each of them."""
    # A guess that answers each label with some probability scores at most the share of this one.
    label, _ = Counter(example.label for example in examples).most_common(1)[0]
    return lambda example: label


ACCURACY = Metric("accuracy", ("correct", "n"), _item, ratio, "share of items answered right")
