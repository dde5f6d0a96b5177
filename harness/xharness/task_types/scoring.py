"""From predictions to a score: statistics item by item, and the value that their sums give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Example, Metric, Prediction


def item_statistics(
    metric: Metric,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    card: TaskCard,
    language: str,
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Per-item statistics, shape (items, statistics)."""
    rows = [
        metric.item(example, prediction, card, language)
        for example, prediction in zip(examples, predictions, strict=True)
    ]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(metric.statistics))


def value(metric: Metric, statistics: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """The score in [0, 1] that per-item statistics, shape (items, statistics), give."""
    return float(metric.value(statistics.sum(axis=0)))
