"""Span questions: answer with a stretch of the context (extractive question answering)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    AnswerRepairs,
    Example,
    Metric,
    PredictionShape,
    Reader,
    Row,
    TaskType,
)
from xharness.task_types.qa_metrics import METRICS
from xharness.task_types.wrong_language import WRONG_LANGUAGE


class GoldAnswer(NamedTuple):
    """A gold answer and the character it starts at; -1 where the context does not hold it."""

    text: str
    start: int
    moved: bool = False
    """Whether the data says that it starts elsewhere."""


@dataclass(frozen=True, slots=True)
class ExtractiveQAExample:
    """A question, the context that answers it, and the gold answers."""

    id: str
    question: str
    context: str
    answers: tuple[GoldAnswer, ...]


class ExtractiveQA(TaskType):
    """Which stretch of the context answers the question?"""

    name = "extractive_qa"
    fields: Mapping[str, bool] = MappingProxyType(
        {"question": True, "context": True, "answers": True}
    )
    prediction: PredictionShape = "text"
    metrics: Mapping[str, Metric] = MappingProxyType({**METRICS, "wrong_language": WRONG_LANGUAGE})

    def example(self, row: Row, item: str, card: TaskCard) -> ExtractiveQAExample:
        read = Reader(card, row, item)
        context = read.text("context")
        answers = gold_answers(read.value("answers"), context, card, item)
        return ExtractiveQAExample(item, read.text("question"), context, answers)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, ExtractiveQAExample) and any(
            one.start >= 0 for one in example.answers
        )

    def repairs(self, example: Example) -> AnswerRepairs:
        answers = example.answers if isinstance(example, ExtractiveQAExample) else ()
        return AnswerRepairs(sum(one.moved for one in answers), len(answers))


def gold_answers(value: Any, context: str, card: TaskCard, item: str) -> tuple[GoldAnswer, ...]:
    """The answers that a row lists, each where it really stands in the context.

    Raises:
        UnavailableError: these are not answers.
    """
    return tuple(_located(text, start, context) for text, start in _answers(value, card, item))


def _answers(value: Any, card: TaskCard, item: str) -> list[tuple[str, int]]:
    """Both public shapes: a mapping of lists, or a list of mappings."""
    try:
        if isinstance(value, Mapping):
            texts: Sequence[str] = value["text"]
            return [(str(t), int(s)) for t, s in zip(texts, value["answer_start"], strict=True)]
        return [(str(one["text"]), int(one["answer_start"])) for one in value]
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(
            "these are not answers",
            where=f"card '{card.name}', item {item}",
            expected="{text: [...], answer_start: [...]}",
        ) from None


def _located(text: str, start: int, context: str) -> GoldAnswer:
    """The answer where it really stands: public copies strip contexts and keep old offsets.

    Of several places the nearest is taken: what was stripped is short.
    """
    if not text:
        return GoldAnswer(text, -1)
    if start >= 0 and context.startswith(text, start):
        return GoldAnswer(text, start)
    places = (place for place in range(len(context)) if context.startswith(text, place))
    place = min(places, key=lambda place: abs(place - start), default=-1)
    return GoldAnswer(text, place, moved=place >= 0)
