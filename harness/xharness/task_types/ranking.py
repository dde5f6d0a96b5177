"""Rankings: the nearest passages of each query, and mean average precision at 20."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, TypedDict

from xharness.errors import ConfigurationError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import Metric, ratio
from xharness.task_types.neighbours import nearest
from xharness.task_types.search import SearchRequest

DEPTH = 20


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
    return total / max(min(len(relevant), DEPTH), 1)


def _item(example: Any, prediction: Ranking, card: TaskCard, language: str) -> tuple[float, float]:
    return average_precision(prediction), 1.0


MAP_AT_20 = Metric("map_at_20", ("ap", "n"), _item, ratio, "mean average precision at rank 20")
