"""Checklists: cases of several questions, passed only where each is answered correctly.

When an answer passes is defined by the code of MultiCheckList (Ruder et al. 2021, section 3.3,
`multichecklist/generate_test_utils.py`): articles of the language become blanks, some punctuation
is stripped at both ends, the rest must be equal, case included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
    ratio,
)
from xharness.task_types.extractive_qa import ExtractiveQA, ExtractiveQAExample, GoldAnswer

_WORDS = {
    "de": "ein eine einen", "el": "Ο ένα μια", "en": "a an the in at",
    "es": "un una unos unas el la los las", "eu": "bat", "fa": "یک", "fr": "un une le la en",
    "hu": "egy", "it": "un una", "nl": "een", "pt": "um uma", "tl": "Si", "tr": "bir", "vi": "một",
    "wo": "dafa", "yo": "kan",
}  # fmt: skip
_BEGINNINGS = {
    "bn": "একটি একজন", "hi": "एक", "ml": "ഒരു", "mr": "एक", "my": "တစ်ဦး", "pa": "ਇੱਕ ਇਕ",
    "ta": "ஒரு",
}  # fmt: skip
_ARTICLES = MappingProxyType(
    {code: rf"\b(?:{'|'.join(words.split())})\b" for code, words in _WORDS.items()}
    | {code: rf"\b(?:{'|'.join(words.split())})" for code, words in _BEGINNINGS.items()}
    | {"af": r"’n\b", "ar": "ال"}
)
"""Whole words; beginnings of words in scripts where the article is written on; wherever it is."""
_PUNCTUATION = ",. "
_MORE_PUNCTUATION = {"bn": "\u09f7", "hi": "\u09f7", "pa": "\u0964", "pl": "„”", "ur": "\u200f"}


@lru_cache(maxsize=8192)
def cleaned(text: str, language: str) -> str:
    """An answer without articles, and without punctuation at its ends."""
    articles = _ARTICLES.get(language)
    # Blanks, not nothing: words that an article stood between must not become one.
    stripped = re.sub(articles, " ", text) if articles else text
    return stripped.strip(_PUNCTUATION + _MORE_PUNCTUATION.get(language, ""))


def _passes(example: Any, prediction: Prediction, language: str) -> bool:
    """Whether every part is answered correctly: CheckList's rule for a case of several."""
    return all(
        cleaned(answer, language) in {cleaned(gold.text, language) for gold in part.answers}
        for part, answer in zip(example.parts, prediction, strict=True)
    )


def _share(name: str, description: str, *, of_passed: bool) -> Metric:
    def item(
        example: Any, prediction: Prediction, card: TaskCard, language: str
    ) -> tuple[float, float]:
        return float(_passes(example, prediction, language) == of_passed), 1.0

    return Metric(name, ("cases", "n"), item, ratio, description, lower_is_better=not of_passed)


_PASS_RATE = _share("pass_rate", "share of cases with every answer right", of_passed=True)
_ERROR_RATE = _share(
    "error_rate",
    "share of cases with a wrong answer, as MultiCheckList reports it",
    of_passed=False,
)
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (_PASS_RATE, _ERROR_RATE)}
)


@dataclass(frozen=True, slots=True)
class ChecklistExample:
    """One case: the questions that must all be answered correctly."""

    id: str
    parts: tuple[ExtractiveQAExample, ...]


class Checklist(TaskType):
    """Does the model show a skill, case by case? Its questions are `extractive_qa`.

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
        questions = Reader(card, row, item).value("items")
        if not isinstance(questions, Sequence) or isinstance(questions, str) or not questions:
            raise _not_items(card, item)
        parts = (
            _part(question, f"{item}.{index}", card) for index, question in enumerate(questions)
        )
        return ChecklistExample(item, tuple(parts))

    def learnable(self, example: Example) -> bool:
        return False

    def parts(self, example: Example) -> Sequence[Example]:
        return example.parts if isinstance(example, ChecklistExample) else ()

    def joined(self, answers: Sequence[Prediction]) -> Prediction:
        return list(answers)


def _part(entry: Any, item: str, card: TaskCard) -> ExtractiveQAExample:
    try:
        context, question, texts = entry["context"], entry["question"], entry["answers"]
    except (KeyError, TypeError):
        raise _not_items(card, item) from None
    texts = (texts,) if isinstance(texts, str) else texts
    if not texts or not all(isinstance(text, str) for text in (context, question, *texts)):
        raise _not_items(card, item)
    # Offsets are for training alone, and a checklist is never trained on: the first place will do.
    answers = tuple(GoldAnswer(text, context.find(text)) for text in texts)
    return ExtractiveQAExample(item, question, context, answers)


def _not_items(card: TaskCard, item: str) -> UnavailableError:
    return UnavailableError(
        "this is not a case's list of questions",
        where=f"card '{card.name}', item {item}",
        expected="[{context: ..., question: ..., answers: [...]}, ...]",
    )
