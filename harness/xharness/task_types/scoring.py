"""From predictions to a score: statistics item by item, the value of their sums, and its floor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from xharness.errors import printable
from xharness.spec.cards import TaskCard
from xharness.task_types.base import Example, Metric, Prediction, TaskType


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


LEAST = 0.05
"""Of any score that is no share of right answers: F1 of a handful of lucky words."""
_TAGS = 2  # commonest gold tags tried: no entity, and the commonest one


# A guess that answers each label with some probability scores at most the share of the commonest
# gold label, so the best constant answer is the floor of every guesser.
def floor(
    task_type: TaskType, metric: Metric, examples: Sequence[Example], card: TaskCard, language: str
) -> float | None:
    """The floor in [0, 1] of these scored items under `metric`; None without items."""
    if not examples:
        return None
    if task_type.answered_by_search:
        return max(1 / len(examples), LEAST if task_type.prediction == "text" else 0.0)
    constant = max(
        (
            value(metric, item_statistics(metric, examples, answers, card, language))
            for answers in _answers(task_type, examples)
        ),
        default=0.0,
    )
    # Labels have a chance level that the card states; elsewhere a lucky word must not count.
    least = LEAST if task_type.prediction != "int" else task_type.chance(card) or 0.0
    return max(constant, least)


def commonest(
    task_type: TaskType, predictions: Sequence[Prediction], card: TaskCard
) -> tuple[str, float] | None:
    """The answer given to most items and its share of them; None where answers are rankings.

    A tagger's answer to a sentence counts where all words carry one tag.
    """
    if task_type.prediction not in ("int", "ints", "text") or task_type.answered_by_search:
        return None
    answers = [_answer(prediction) for prediction in predictions]
    counts = Counter(answer for answer in answers if answer is not None)
    if not counts:
        return None
    (answer, count), *_ = counts.most_common(1)
    labels = card.labels or ()
    if isinstance(answer, int) and 0 <= answer < len(labels):
        answer = labels[answer]
    return printable(str(answer)), count / len(answers)  # a model may write anything


def _answer(prediction: Prediction) -> int | str | None:
    if isinstance(prediction, int | str):
        return prediction
    # Only a sentence whose words all carry one tag can show that a tagger answers blindly.
    tags = set(prediction)
    return int(tags.pop()) if len(tags) == 1 else None


def _answers(task_type: TaskType, examples: Sequence[Example]) -> Iterator[list[Prediction]]:
    """Constant answers to all the items, the best one among them."""
    if task_type.prediction == "int":
        labels = Counter(getattr(example, "label", None) for example in examples)
        yield [labels.most_common(1)[0][0]] * len(examples)
    elif task_type.prediction == "ints":
        gold = [getattr(example, "tags", ()) for example in examples]
        counts = Counter(tag for tags in gold for tag in tags)
        for tag, _ in counts.most_common(_TAGS):
            yield [[tag] * len(tags) for tags in gold]
    elif task_type.prediction == "text":
        yield [""] * len(examples)
        if all(hasattr(example, "context") for example in examples):
            yield [example.context for example in examples]  # type: ignore[attr-defined]
