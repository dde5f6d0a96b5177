"""Extractive QA: labels in SQuAD's JSON, predictions as one mapping from question to answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from xharness.spec.documents import Document
from xharness.spec.examination import validate
from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_json
from xharness.submission.layout import SuiteTask
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer


# Not `Strict`: the files of XQuAD, MLQA and TyDiQA say more than scoring reads, each its own.
class _SquadAnswer(BaseModel):
    text: str
    answer_start: int = -1


class _SquadQuestion(BaseModel):
    id: str
    answers: list[_SquadAnswer]
    question: str = ""


class _SquadParagraph(BaseModel):
    qas: list[_SquadQuestion]
    context: str = ""


class _SquadArticle(BaseModel):
    paragraphs: list[_SquadParagraph]


class _SquadFile(BaseModel):
    data: list[_SquadArticle]


class SquadFormat:
    """XQuAD, MLQA, TyDiQA: as in SQuAD 1.1 (Rajpurkar et al. 2016)."""

    ending = "json"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        example_of_id = {example.id: example for example in _examples(labels)}
        answers = predictions.mapping(lambda value: isinstance(value, str), "a text")
        predictions.check_items(answers, example_of_id)
        return AnsweredItems([*example_of_id.values()], [answers[item] for item in example_of_id])

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        examples = [
            example
            for example in answered_items.examples
            if isinstance(example, ExtractiveQAExample)
        ]
        items = [example.id for example in examples]
        answers = dict(zip(items, answered_items.predictions, strict=True))
        labels = {"version": "1.1", "data": [_article(example) for example in examples]}
        return FileTexts(as_json(labels), as_json(answers))


def _examples(file: SubmissionFile) -> Iterator[ExtractiveQAExample]:
    parsed = file.parsed()
    # The official reader takes the bare list of articles, too.
    data = {"data": parsed} if isinstance(parsed, list) else parsed
    squad = validate(Document(str(file.path), data, {}), _SquadFile)
    ids: set[str] = set()
    for article in squad.data:
        for paragraph in article.paragraphs:
            for question in paragraph.qas:
                if question.id in ids:
                    raise file.error(
                        f"'{question.id}' stands twice", file.line_of(question.id, last=True)
                    )
                ids.add(question.id)
                answers = tuple(
                    GoldAnswer(answer.text, answer.answer_start) for answer in question.answers
                )
                yield ExtractiveQAExample(
                    question.id, question.question, paragraph.context, answers
                )


def _article(example: ExtractiveQAExample) -> dict[str, Any]:
    """A question with its own paragraph: contexts that repeat are told again."""
    answers = [{"text": answer.text, "answer_start": answer.start} for answer in example.answers]
    question = {"id": example.id, "question": example.question, "answers": answers}
    return {"paragraphs": [{"context": example.context, "qas": [question]}]}
