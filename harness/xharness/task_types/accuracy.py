"""Accuracy: the share of items answered exactly right."""

from __future__ import annotations

from typing import Protocol

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Metric, Prediction, ratio


class _Labelled(Protocol):
    @property
    def label(self) -> int: ...


def _item(
    example: _Labelled, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float]:
    return float(prediction == example.label), 1.0


ACCURACY = Metric("accuracy", ("correct", "n"), _item, ratio, "share of items answered right")
