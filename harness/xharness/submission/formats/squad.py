"""Span questions: labels in SQuAD's JSON, predictions as one mapping from question to answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from xharness import documents
from xharness.documents import Document
from xharness.kinds import Answer, SpanExample
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, as_json
from xharness.submission.layout import Task


class _Answer(BaseModel):
    text: str
    answer_start: int = -1


class _Question(BaseModel):
    id: str
    answers: list[_Answer]
    question: str = ""


class _Paragraph(BaseModel):
    qas: list[_Question]
    context: str = ""


class _Article(BaseModel):
    paragraphs: list[_Paragraph]


class _Squad(BaseModel):
    data: list[_Article]


class Squad:
    """XQuAD, MLQA, TyDiQA: as in SQuAD 1.1 (Rajpurkar et al. 2016)."""

    ending = "json"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        golds = {example.id: example for example in _examples(labels)}
        given = predictions.mapping(lambda one: isinstance(one, str), "a text")
        predictions.check_items(given, golds)
        return Answered([*golds.values()], [given[item] for item in golds])

    def write(self, answered: Answered, task: Task) -> Written:
        spans = [one for one in answered.examples if isinstance(one, SpanExample)]
        items = [one.id for one in spans]
        given = dict(zip(items, answered.predictions, strict=True))
        golds = {"version": "1.1", "data": [_article(one) for one in spans]}
        return Written(as_json(golds), as_json(given))


def _examples(file: File) -> Iterator[SpanExample]:
    found = file.parsed()
    data = {"data": found} if isinstance(found, list) else found
    squad = documents.validate(Document(str(file.path), data, {}), _Squad)
    seen: set[str] = set()
    for article in squad.data:
        for paragraph in article.paragraphs:
            for one in paragraph.qas:
                if one.id in seen:
                    raise file.error(f"'{one.id}' stands twice", file.line_of(one.id, last=True))
                seen.add(one.id)
                answers = tuple(Answer(gold.text, gold.answer_start) for gold in one.answers)
                yield SpanExample(one.id, one.question, paragraph.context, answers)


def _article(example: SpanExample) -> dict[str, Any]:
    """A question with its own paragraph: contexts that repeat are told again."""
    answers = [{"text": one.text, "answer_start": one.start} for one in example.answers]
    question = {"id": example.id, "question": example.question, "answers": answers}
    return {"paragraphs": [{"context": example.context, "qas": [question]}]}
