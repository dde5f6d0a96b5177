"""The ratio margin: how much nearer two sentences are to each other than to their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xharness.task_types.neighbours import Neighbours, nearest
from xharness.task_types.search import CandidateIndex

NEIGHBOURS = 4


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
    margins = np.divide(neighbours.scores, centers, out=np.zeros_like(centers), where=centers > 0)
    best = margins.argmax(axis=1)[:, None]
    indices = np.take_along_axis(neighbours.indices, best, axis=1)[:, 0]
    scores = np.take_along_axis(margins, best, axis=1)[:, 0]
    yield from zip(range(len(indices)), indices.tolist(), scores.tolist(), strict=True)


def _greedy(proposals: Sequence[tuple[int, int, float]]) -> Iterator[tuple[int, int, float]]:
    sources, targets = set[int](), set[int]()
    for source, target, score in sorted(proposals, key=lambda proposal: -proposal[2]):
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
        f1 = 2 * right / (count + len(gold))
        if f1 > best:
            threshold, best = (pair.score + next_score) / 2, f1
    return threshold
