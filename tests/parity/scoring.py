"""A metric over a corpus, as a run scores it: statistics item by item, summed, then the value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from xharness.spec.cards import TaskCard
from xharness.task_types import BUILTIN
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.testing import toy_card

TASK_TYPES = {task_type.name: task_type for task_type in BUILTIN}
COVERED: set[tuple[str, str]] = set()
"""The (task type, metric) pairs that a module of this folder compares with something else."""


def covers(task_type: str, *metrics: str) -> None:
    """Note that a module compares these metrics."""
    COVERED.update((task_type, metric) for metric in metrics)


def card(task_type: str, labels: Iterable[str] | None = None) -> TaskCard:
    """A card of `task_type`, with other labels if wanted."""
    toy = toy_card(task_type)
    return toy if labels is None else toy.model_copy(update={"labels": tuple(labels)})


def score(
    task: TaskCard, metric: str, items: Iterable[tuple[Any, Any]], language: str = "en"
) -> float:
    """The value over (example, prediction) pairs."""
    card_metric = TASK_TYPES[task.task_type].metrics[metric]
    rows = [card_metric.item(example, answer, task, language) for example, answer in items]
    sums = (
        np.array(rows, dtype=np.float64).reshape(len(rows), len(card_metric.statistics)).sum(axis=0)
    )
    return float(card_metric.value(sums))


def question(golds: Iterable[str], item: str = "0") -> ExtractiveQAExample:
    """A question whose gold answers are `golds`."""
    return ExtractiveQAExample(item, "q", "c", tuple(GoldAnswer(gold, 0) for gold in golds))
