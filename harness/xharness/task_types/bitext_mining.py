"""Mining: find the pairs of translations in two texts of which most sentences have none."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xharness.errors import ConfigurationError, UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    f1,
)
from xharness.task_types.neighbours import Neighbours, nearest
from xharness.task_types.search import CandidateIndex, SearchRequest, TextRole, build_index


@dataclass(frozen=True, slots=True)
class BitextMiningExample:
    """A sentence, and the ids of its translations in the index; most have none."""

    id: str
    text: str
    matches: tuple[str, ...]


def _item(
    example: BitextMiningExample, prediction: str, card: TaskCard, language: str
) -> tuple[float, float, float]:
    right = prediction in example.matches
    # A wrong pair costs twice: it is one too many, and the right one is missed.
    return float(right), float(prediction != "" and not right), len(example.matches) - float(right)


MINING_F1 = Metric("mining_f1", ("tp", "fp", "fn"), _item, f1, "F1 of the mined pairs")


class BitextMining(TaskType):
    """Which sentence of the index, if any, translates this one? "" says that none does.

    BUCC as in XTREME (Hu et al. 2020): pairs by the ratio margin of Artetxe and Schwenk 2019
    (Margin-based Parallel Corpus Mining, section 3), those above a threshold that gives the best
    F1 on the card's `threshold_split`.
    """

    name = "bitext_mining"
    fields: Mapping[str, bool] = MappingProxyType({"id": True, "text": True, "match": False})
    prediction: PredictionShape = "text"
    indexed = True
    candidate_role: TextRole = "sentence"
    metrics: Mapping[str, Metric] = MappingProxyType({"mining_f1": MINING_F1})
    answered_by_search = True

    def example(self, row: Row, item: str, card: TaskCard) -> BitextMiningExample:
        reader = Reader(card, row, item)
        return BitextMiningExample(item, reader.text("text").strip(), reader.keys("match"))

    def learnable(self, example: Example) -> bool:
        return False

    def search(self, request: SearchRequest) -> Sequence[Prediction]:
        if request.tuning is None:
            raise UnavailableError(
                "no threshold can be chosen",
                hint="name the split under 'threshold_split' in the card",
            )
        pairs, tuning = _pairs(request), request.tuning
        # The split that is scored may be the one tuned on: its pairs are not mined twice.
        tuning_pairs = pairs if tuning.examples is request.examples else _pairs(tuning)
        threshold = best_threshold(tuning_pairs, _gold(tuning))
        targets = {pair.source: pair.target for pair in pairs if pair.score >= threshold}
        return [targets.get(example.id, "") for example in request.examples]


def _pairs(request: SearchRequest) -> list[MinedPair]:
    if request.index is None:
        raise ConfigurationError("there is nothing to search", hint="name an 'index' in the card")
    return mine(
        build_index(request.examples, request.encode, BitextMining.candidate_role), request.index
    )


def _gold(request: SearchRequest) -> set[tuple[str, str]]:
    return {(example.id, match) for example in request.examples for match in example.matches}


NEIGHBOURS = 4
"""How many of a sentence's nearest the ratio margin compares a pair with."""


class MinedPair(NamedTuple):
    """A pair that may be translations of each other."""

    source: str
    target: str
    score: float


def mine(sources: CandidateIndex, targets: CandidateIndex) -> list[MinedPair]:
    """Pairs by falling margin, each side in one at most.

    A pair is proposed by either side, as its neighbour with the largest margin
    cos(x, y) / ((mean of x's k nearest + mean of y's k nearest) / 2), k = 4 (Artetxe and Schwenk
    2019, equations 2 and 3, `max`). A sentence that stands twice on its side is searched, but no
    pair with it is kept: nobody could say which of the two is meant, and XTREME's code says
    neither.
    """
    forward = nearest(sources.vectors, targets.vectors, NEIGHBOURS)
    backward = nearest(targets.vectors, sources.vectors, NEIGHBOURS)
    source_means, target_means = forward.scores.mean(axis=1), backward.scores.mean(axis=1)
    backward_proposals = _proposals(backward, target_means, source_means)
    proposals = [
        *_proposals(forward, source_means, target_means),
        *((source, target, score) for target, source, score in backward_proposals),
    ]
    return [
        MinedPair(sources.ids[source][0], targets.ids[target][0], score)
        for source, target, score in _greedy(proposals)
        if score > 0 and len(sources.ids[source]) == len(targets.ids[target]) == 1
    ]


def _proposals(
    neighbours: Neighbours, query_means: NDArray[np.float64], means: NDArray[np.float64]
) -> Iterator[tuple[int, int, float]]:
    """For each query its index, and index and margin of the neighbour with the largest margin.

    `query_means` and `means`: mean scores of the queries', and of the candidates', neighbours.
    """
    centers = (query_means[:, None] + means[neighbours.indices]) / 2
    # Where the mean cosine is not above zero the ratio has no meaning; a margin of 0 is never kept.
    margins = np.divide(neighbours.scores, centers, out=np.zeros_like(centers), where=centers > 0)
    best = margins.argmax(axis=1)[:, None]
    indices = np.take_along_axis(neighbours.indices, best, axis=1)[:, 0]
    scores = np.take_along_axis(margins, best, axis=1)[:, 0]
    yield from zip(range(len(indices)), indices.tolist(), scores.tolist(), strict=True)


def _greedy(proposals: Sequence[tuple[int, int, float]]) -> Iterator[tuple[int, int, float]]:
    sources, targets = set[int](), set[int]()
    for source, target, score in sorted(proposals, key=lambda proposal: -proposal[2]):
        # Each sentence has one translation in BUCC: the best pair takes both sides.
        if source not in sources and target not in targets:
            sources.add(source)
            targets.add(target)
            yield source, target, score


def best_threshold(mined: Sequence[MinedPair], gold: Collection[tuple[str, str]]) -> float:
    """The score from which on pairs are kept for the best F1 against `gold`.

    It lies halfway between the last pair kept and the first one dropped. Nothing right among
    `mined` gives infinity: nothing is kept.
    """
    threshold, best, right = float("inf"), 0.0, 0
    for count, pair in enumerate(mined, 1):
        right += (pair.source, pair.target) in gold
        next_score = mined[count].score if count < len(mined) else pair.score
        if count < len(mined) and next_score == pair.score:
            continue  # pairs of equal score are kept or dropped together
        # 2 tp / (2 tp + fp + fn), for tp + fp = count and tp + fn = len(gold).
        f1 = 2 * right / (count + len(gold))
        if f1 > best:
            threshold, best = (pair.score + next_score) / 2, f1
    return threshold
