"""Corpora: the candidates that retrieval, linking and mining choose from; never a task itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Example, Metric, PredictionShape, Reader, Row, TaskType
from xharness.task_types.sentences import joined


@dataclass(frozen=True, slots=True)
class PassageExample:
    """A candidate, and the keys of the questions, or the entity, that it answers."""

    id: str
    text: str
    answers: tuple[str, ...]


class Corpus(TaskType):
    """What may answer a question. `answers`: a key or a list of keys, such as question ids.

    With `sentences`, a list of {start, end} into the text, the passage is these, joined by blanks.
    """

    name = "corpus"
    fields: Mapping[str, bool] = MappingProxyType(
        {"text": True, "answers": False, "sentences": False}
    )
    prediction: PredictionShape = "text"
    metrics: Mapping[str, Metric] = MappingProxyType({})

    def example(self, row: Row, item: str, card: TaskCard) -> PassageExample:
        reader = Reader(card, row, item)
        text = reader.text("text")
        if reader.has("sentences"):
            text = joined(text, reader.value("sentences"), card, item)
        return PassageExample(item, text.strip(), reader.keys("answers"))

    def learnable(self, example: Example) -> bool:
        return False
