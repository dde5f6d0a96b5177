"""Extractive question answering: a span of the context, or, as in SQuAD 2.0, that there is none."""

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
from xharness.task_types.qa_metrics import METRICS, SQUAD2_METRICS
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
    """Which span of the context answers the question?"""

    name = "extractive_qa"
    fields: Mapping[str, bool] = MappingProxyType(
        {"question": True, "context": True, "answers": True}
    )
    prediction: PredictionShape = "text"
    metrics: Mapping[str, Metric] = MappingProxyType({**METRICS, "wrong_language": WRONG_LANGUAGE})

    def example(self, row: Row, item: str, card: TaskCard) -> ExtractiveQAExample:
        reader = Reader(card, row, item)
        context = reader.text("context")
        answers = gold_answers(reader.value("answers"), context, card, item)
        return ExtractiveQAExample(item, reader.text("question"), context, answers)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, ExtractiveQAExample) and any(
            answer.start >= 0 for answer in example.answers
        )

    def repairs(self, example: Example) -> AnswerRepairs:
        answers = example.answers if isinstance(example, ExtractiveQAExample) else ()
        return AnswerRepairs(sum(answer.moved for answer in answers), len(answers))


class ExtractiveQAUnanswerable(ExtractiveQA):
    """Which span of the context answers the question, if any? The prediction "" says: none.

    An empty list of answers means that there is none, and is learnt from; answers that the context
    does not hold are a fault of the data, and are not (Rajpurkar et al. 2018).
    """

    name = "extractive_qa_unanswerable"
    metrics: Mapping[str, Metric] = SQUAD2_METRICS

    def learnable(self, example: Example) -> bool:
        return super().learnable(example) or (
            isinstance(example, ExtractiveQAExample)
            and not any(answer.text for answer in example.answers)
        )


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
        return [(str(answer["text"]), int(answer["answer_start"])) for answer in value]
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(
            "these are not answers",
            where=f"card '{card.name}', item {item}",
            expected="{text: [...], answer_start: [...]}",
        ) from None


def _located(text: str, start: int, context: str) -> GoldAnswer:
    """The answer where it really stands: public copies strip contexts and keep old offsets.

    Of several occurrences the nearest is taken: what was stripped is short.
    """
    if not text:
        return GoldAnswer(text, -1)
    if start >= 0 and context.startswith(text, start):
        return GoldAnswer(text, start)
    offsets = (offset for offset in range(len(context)) if context.startswith(text, offset))
    nearest = min(offsets, key=lambda offset: abs(offset - start), default=-1)
    return GoldAnswer(text, nearest, moved=nearest >= 0)
