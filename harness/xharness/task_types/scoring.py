"""From predictions to a score: statistics item by item, the value of their sums, and its floor."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import chain

import numpy as np

from xharness.errors import StageError, printable
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    ConstantAnswer,
    Example,
    Floats,
    Metric,
    Prediction,
    TaskType,
)


def item_statistics(
    metric: Metric,
    examples: Iterable[Example],
    predictions: Iterable[Prediction],
    card: TaskCard,
    language: str,
) -> Floats:
    """Per-item statistics, shape (items, statistics)."""
    rows = (
        _row(metric, example, prediction, card, language)
        for example, prediction in zip(examples, predictions, strict=True)
    )
    return _gathered(rows, len(metric.statistics))


def all_statistics(
    metrics: Sequence[Metric],
    pairs: Iterable[tuple[Example, Prediction]],
    card: TaskCard,
    language: str,
) -> list[Floats]:
    """The per-item statistics of each metric, in one pass over examples and predictions."""
    rows = (
        tuple(chain(*(_row(metric, example, answer, card, language) for metric in metrics)))
        for example, answer in pairs
    )
    widths = [len(metric.statistics) for metric in metrics]
    statistics = _gathered(rows, sum(widths))
    # Each as if it had been gathered alone: in another order of memory sums may round otherwise.
    return [
        np.ascontiguousarray(columns)
        for columns in np.split(statistics, np.cumsum(widths)[:-1], axis=1)
    ]


def _row(
    metric: Metric, example: Example, prediction: Prediction, card: TaskCard, language: str
) -> Sequence[float]:
    """The statistics of one item; others than the metric names would shift those of the next."""
    statistics = metric.item(example, prediction, card, language)
    if len(statistics) != len(metric.statistics):
        raise StageError(
            f"metric '{metric.name}' gives {len(statistics)} statistics for item '{example.id}'",
            expected=", ".join(metric.statistics),
        )
    return statistics


def _gathered(rows: Iterable[Sequence[float]], width: int) -> Floats:
    """`rows` as an array from the start: as tuples they would take ten times as much."""
    return np.fromiter(rows, np.dtype((np.float64, (width,))))


def value(metric: Metric, statistics: Floats) -> float:
    """The score in [0, 1] that per-item statistics, shape (items, statistics), give."""
    return float(metric.value(statistics.sum(axis=0)))


LEAST = 0.05
"""Of any score that is no share of right answers: F1 of a handful of lucky words."""


def floor(
    task_type: TaskType,
    metric: Metric,
    examples: Collection[Example],
    card: TaskCard,
    language: str,
) -> float | None:
    """The floor in [0, 1] of these scored items under `metric`; None without items."""
    if not len(examples):
        return None
    if task_type.answered_by_search:
        return max(1 / len(examples), LEAST if task_type.prediction == "text" else 0.0)
    constant = max(
        (
            value(metric, _constant_statistics(metric, examples, answer, card, language))
            for answer in task_type.constant_answers(examples)
        ),
        default=0.0,
    )
    # Labels have a chance level that the card states; elsewhere a lucky word must not count.
    least = LEAST if task_type.prediction != "int" else task_type.chance(card) or 0.0
    return max(constant, least)


def _constant_statistics(
    metric: Metric,
    examples: Iterable[Example],
    answer: ConstantAnswer,
    card: TaskCard,
    language: str,
) -> Floats:
    rows = (_row(metric, example, answer(example), card, language) for example in examples)
    return _gathered(rows, len(metric.statistics))


def commonest(
    task_type: TaskType, predictions: Collection[Prediction], card: TaskCard
) -> tuple[str, float] | None:
    """The answer given to most items and its share of them; None where answers are rankings.

    A tagger's answer to a sentence counts where all words carry one tag.
    """
    if task_type.prediction not in ("int", "ints", "text") or task_type.answered_by_search:
        return None
    top = _top_text if task_type.prediction == "text" else _top_label
    answer, count = top(predictions)
    if not count:
        return None
    labels = card.labels or ()
    if isinstance(answer, int) and 0 <= answer < len(labels):
        answer = labels[answer]
    return printable(str(answer)), count / len(predictions)  # a model may write anything


def _top_label(predictions: Iterable[Prediction]) -> tuple[int | None, int]:
    """The first of the labels that most items got, and how many did."""
    counts = Counter(filter(_is_label, map(_label, predictions)))
    return next(iter(counts.most_common(1)), (None, 0))


def _label(prediction: Prediction) -> int | None:
    if isinstance(prediction, int):
        return prediction
    # Only a sentence whose words all carry one tag can show that a tagger answers blindly.
    tags = set(prediction)
    return int(tags.pop()) if len(tags) == 1 else None


def _is_label(label: int | None) -> bool:
    return label is not None


def _top_text(predictions: Iterable[str]) -> tuple[str, int]:
    """As `_top_label`; texts may all differ, so eight bytes of each are held."""
    keys = np.fromiter(map(_key, predictions), np.uint64)
    different_keys, counts = np.unique(keys, return_counts=True)
    if not len(counts):
        return "", 0
    top_keys = {*different_keys[counts == counts.max()].tolist()}
    return next(text for text in predictions if _key(text) in top_keys), int(counts.max())


def _key(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest)
