"""Retrieval: find the passages that answer a question, in one index of many languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from xharness.spec.cards import TaskCard
from xharness.task_types import sentences
from xharness.task_types.base import (
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
)
from xharness.task_types.extractive_qa import gold_answers
from xharness.task_types.ranking import MAP_AT_20, RetrievalExample, rank
from xharness.task_types.search import SearchRequest, TextRole


class Retrieval(TaskType):
    """Which passages answer the question? Those whose `answers` hold the question's key.

    `relevant` is that key, the question's id unless the card says otherwise. To learn from, a row
    gives `positive`, a right passage; or `context` and `answers`, as SQuAD's rows do: the positive
    is then the sentence that holds the first answer and the whole context after it, as LAReQA's
    candidates are made (Roy et al. 2020, section 3).
    """

    name = "retrieval"
    fields: Mapping[str, bool] = MappingProxyType(
        {
            "id": False,
            "query": True,
            "relevant": False,
            "positive": False,
            "context": False,
            "answers": False,
        }
    )
    prediction: PredictionShape = "ranking"
    indexed = True
    candidate_role: TextRole = "passage"
    metrics: Mapping[str, Metric] = MappingProxyType({"map_at_20": MAP_AT_20})
    answered_by_search = True

    def example(self, row: Row, item: str, card: TaskCard) -> RetrievalExample:
        reader = Reader(card, row, item)
        key = reader.text("relevant") if reader.has("relevant") else item
        positive = _positive(reader, card, item)
        return RetrievalExample(item, reader.text("query").strip(), key, positive)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, RetrievalExample) and example.positive is not None

    def search(self, request: SearchRequest) -> Sequence[Prediction]:
        return rank(request)


def _positive(reader: Reader, card: TaskCard, item: str) -> str | None:
    if reader.has("positive"):
        return reader.text("positive").strip()
    if not (reader.has("context") and reader.has("answers")):
        return None
    context = reader.text("context")
    answers = gold_answers(reader.value("answers"), context, card, item)
    start = next((answer.start for answer in answers if answer.start >= 0), -1)
    sentence = sentences.holding(start, sentences.split(context))
    if sentence is None:
        return None
    return (context[slice(*sentence)] + context).replace("\n", "")
