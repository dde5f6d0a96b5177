"""Classification: one label for a text, or for a pair of texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from xharness.spec.cards import TaskCard
from xharness.task_types.accuracy import ACCURACY, commonest_label
from xharness.task_types.base import (
    ConstantAnswer,
    Metric,
    PredictionShape,
    Reader,
    Row,
    TaskType,
)


@dataclass(frozen=True, slots=True)
class ClassificationExample:
    """A text, perhaps with a second one, and the index of its label in the card's labels."""

    id: str
    text: str
    pair: str | None
    label: int


class Classification(TaskType):
    """Which of the card's labels is it?"""

    name = "classification"
    fields: Mapping[str, bool] = MappingProxyType({"text": True, "pair": False, "label": True})
    prediction: PredictionShape = "int"
    metrics: Mapping[str, Metric] = MappingProxyType({"accuracy": ACCURACY})
    translatable = True

    def example(self, row: Row, item: str, card: TaskCard) -> ClassificationExample:
        reader = Reader(card, row, item)
        pair = reader.text("pair") if reader.has("pair") else None
        return ClassificationExample(item, reader.text("text"), pair, reader.label())

    def texts(self, example: ClassificationExample) -> Sequence[str]:
        return (example.text,) if example.pair is None else (example.text, example.pair)

    def with_texts(
        self, example: ClassificationExample, texts: Sequence[str]
    ) -> ClassificationExample:
        text, *pair = texts
        return replace(example, text=text, pair=pair[0] if pair else None)

    def chance(self, card: TaskCard) -> float | None:
        return 1 / len(card.label_names) if card.label_names else None

    def constant_answers(
        self, examples: Collection[ClassificationExample]
    ) -> Iterable[ConstantAnswer]:
        return [commonest_label(examples)]
