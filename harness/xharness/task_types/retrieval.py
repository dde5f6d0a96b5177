"""Retrieval: find the passages that answer a question, in one index of many languages.

Entity linking ranks and scores in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from types import MappingProxyType
from typing import Any, TypedDict

from xharness.errors import ConfigurationError
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
    ratio,
)
from xharness.task_types.extractive_qa import gold_answers
from xharness.task_types.neighbours import nearest
from xharness.task_types.search import SearchRequest, TextRole

DEPTH = 20  # of a ranking, as the papers report it: mAP@20 of LAReQA and Mewsli-X


class Ranking(TypedDict):
    """The ids of the nearest candidates, nearest first, and of those that are relevant."""

    ranked: list[str]
    relevant: list[str]


@dataclass(frozen=True, slots=True)
class RetrievalExample:
    """A query, the key of what is relevant to it, and, for training, a relevant passage."""

    id: str
    query: str
    relevant: str
    positive: str | None


def rank(request: SearchRequest) -> list[Ranking]:
    """The `DEPTH` nearest passages of each query; of equally near ones the first of the index.

    Raises:
        ConfigurationError: the card names no index.
    """
    if request.index is None:
        raise ConfigurationError("there is nothing to search", hint="name an 'index' in the card")
    ids, relevant_ids = request.index.ids, request.index.relevant_ids
    queries = request.encode([example.query for example in request.examples], "query")
    indices = nearest(queries, request.index.vectors, DEPTH).indices
    return [
        Ranking(ranked=_first(ids, row), relevant=list(relevant_ids.get(example.relevant, ())))
        for example, row in zip(request.examples, indices.tolist(), strict=True)
    ]


def _first(ids: Sequence[tuple[str, ...]], indices: Sequence[int]) -> list[str]:
    """The first `DEPTH` ids of the texts at `indices`: some ids share a text."""
    # Equal texts share one vector but have an id each, so a neighbour may give several.
    return list(islice(chain.from_iterable(ids[index] for index in indices), DEPTH))


def average_precision(ranking: Ranking) -> float:
    """Sum over the relevant ones among the first 20 of the precision at their rank / min(n, 20).

    Ruder et al. 2021 (XTREME-R), section 3.1 and the official code; where one is
    relevant it is the reciprocal rank. Nothing relevant in the index gives 0.
    """
    relevant = {*ranking["relevant"]}
    hits, total = 0, 0.0
    for rank, item in enumerate(ranking["ranked"][:DEPTH], 1):
        if item in relevant:
            hits += 1
            total += hits / rank
    # Of more than 20 relevant ones no ranking of 20 can hold all.
    return total / max(min(len(relevant), DEPTH), 1)


def _item(example: Any, prediction: Ranking, card: TaskCard, language: str) -> tuple[float, float]:
    return average_precision(prediction), 1.0


MAP_AT_20 = Metric("map_at_20", ("ap", "n"), _item, ratio, "mean average precision at rank 20")


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
