"""Tagging: one label for each word of a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    label_index,
    ratio,
)
from xharness.task_types.chunks import CHUNK_F1, SPAN_F1


@dataclass(frozen=True, slots=True)
class TaggingExample:
    """The words of a sentence, and for each the index of its tag in the card's labels."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[int, ...]


def _token_accuracy(
    example: TaggingExample, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float]:
    right = sum(gold == answer for gold, answer in zip(example.tags, prediction, strict=True))
    return float(right), float(len(example.tags))


TOKEN_ACCURACY = Metric(
    "token_accuracy", ("correct", "tokens"), _token_accuracy, ratio, "share of words tagged right"
)


class Tagging(TaskType):
    """Which label does each word carry?"""

    name = "tagging"
    fields: Mapping[str, bool] = MappingProxyType({"tokens": True, "tags": True})
    prediction: PredictionShape = "ints"
    metrics: Mapping[str, Metric] = MappingProxyType(
        {metric.name: metric for metric in (SPAN_F1, CHUNK_F1, TOKEN_ACCURACY)}
    )

    def example(self, row: Row, item: str, card: TaskCard) -> TaggingExample:
        reader = Reader(card, row, item)
        tokens = reader.texts("tokens")
        tags = tuple(label_index(tag, card, item) for tag in reader.value("tags"))
        if len(tags) != len(tokens):
            raise UnavailableError(
                f"{len(tokens)} words but {len(tags)} tags",
                where=f"card '{card.name}', item {item}",
            )
        return TaggingExample(item, tokens, tags)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, TaggingExample) and bool(example.tokens)
