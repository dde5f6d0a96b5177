"""Checklists: cases of several questions, passed only where every one is answered rightly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

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
)
from xharness.task_types.checklist_metrics import METRICS
from xharness.task_types.extractive_qa import ExtractiveQA, ExtractiveQAExample, GoldAnswer


@dataclass(frozen=True, slots=True)
class ChecklistExample:
    """One case: the questions that must all be answered rightly."""

    id: str
    parts: tuple[ExtractiveQAExample, ...]


class Checklist(TaskType):
    """Does the model show a skill, case by case? Its questions are those of the kind `span`.

    A row is a case. Its field `items` lists the questions, each with `context`, `question` and
    `answers`: a text, or a list of texts any of which is right.

        {"case": "17", "test": "comparisons", "items": [
          {"context": "Ann is older than Bo.", "question": "Who is younger?", "answers": ["Bo"]},
          {"context": "Ann is older than Bo.", "question": "Who is older?", "answers": ["Ann"]}]}

    Ribeiro et al. 2020 (CheckList), section 2.3; Ruder et al. 2021 (MultiCheckList), section 3.3.
    """

    name = "checklist"
    fields: Mapping[str, bool] = MappingProxyType({"items": True})
    prediction: PredictionShape = "texts"
    part: TaskType = ExtractiveQA()
    metrics: Mapping[str, Metric] = METRICS

    def example(self, row: Row, item: str, card: TaskCard) -> ChecklistExample:
        listed = Reader(card, row, item).value("items")
        if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
            raise _not_items(card, item)
        return ChecklistExample(
            item, tuple(_part(one, f"{item}.{place}", card) for place, one in enumerate(listed))
        )

    def learnable(self, example: Example) -> bool:
        return False

    def parts(self, example: Example) -> Sequence[Example]:
        return example.parts if isinstance(example, ChecklistExample) else ()

    def joined(self, answers: Sequence[Prediction]) -> Prediction:
        return list(answers)


def _part(one: Any, item: str, card: TaskCard) -> ExtractiveQAExample:
    try:
        context, question, given = one["context"], one["question"], one["answers"]
    except (KeyError, TypeError):
        raise _not_items(card, item) from None
    golds = (given,) if isinstance(given, str) else given
    if not golds or not all(isinstance(gold, str) for gold in (context, question, *golds)):
        raise _not_items(card, item)
    answers = tuple(GoldAnswer(gold, context.find(gold)) for gold in golds)
    return ExtractiveQAExample(item, question, context, answers)


def _not_items(card: TaskCard, item: str) -> UnavailableError:
    return UnavailableError(
        "this is not a case's list of questions",
        where=f"card '{card.name}', item {item}",
        expected="[{context: ..., question: ..., answers: [...]}, ...]",
    )
