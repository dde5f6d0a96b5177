"""The ratio margin: how much nearer two sentences are to each other than to their neighbours."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xharness.task_types.neighbours import Neighbours, nearest
from xharness.task_types.search import CandidateIndex

NEIGHBOURS = 4


class Mined(NamedTuple):
    """A pair that may be translations of each other."""

    source: str
    target: str
    score: float


def mine(sources: CandidateIndex, targets: CandidateIndex) -> list[Mined]:
    """Pairs by falling margin, each side in one at most.

    A pair is proposed by either side, as its neighbour with the largest margin
    cos(x, y) / ((mean of x's k nearest + mean of y's k nearest) / 2), k = 4 (Artetxe and Schwenk
    2019, equations 2 and 3, `max`). A sentence that stands twice on its side is searched, but no
    pair with it is kept: nobody could say which of the two is meant, and XTREME's code says
    neither.
    """
    forward = nearest(sources.vectors, targets.vectors, NEIGHBOURS)
    backward = nearest(targets.vectors, sources.vectors, NEIGHBOURS)
    ahead, behind = forward.scores.mean(axis=1), backward.scores.mean(axis=1)
    proposed = [
        *_proposals(forward, ahead, behind),
        *((source, target, score) for target, source, score in _proposals(backward, behind, ahead)),
    ]
    return [
        Mined(sources.ids[source][0], targets.ids[target][0], score)
        for source, target, score in _greedy(proposed)
        if score > 0 and len(sources.ids[source]) == len(targets.ids[target]) == 1
    ]


def _proposals(
    found: Neighbours, own: NDArray[np.float64], other: NDArray[np.float64]
) -> Iterator[tuple[int, int, float]]:
    """For each query its place, and place and margin of the neighbour with the largest margin."""
    around = (own[:, None] + other[found.indices]) / 2
    margins = np.divide(found.scores, around, out=np.zeros_like(around), where=around > 0)
    best = margins.argmax(axis=1)[:, None]
    places = np.take_along_axis(found.indices, best, axis=1)[:, 0]
    scores = np.take_along_axis(margins, best, axis=1)[:, 0]
    yield from zip(range(len(places)), places.tolist(), scores.tolist(), strict=True)


def _greedy(proposed: Sequence[tuple[int, int, float]]) -> Iterator[tuple[int, int, float]]:
    used: tuple[set[int], set[int]] = set(), set()
    for source, target, score in sorted(proposed, key=lambda one: -one[2]):
        if source not in used[0] and target not in used[1]:
            used[0].add(source)
            used[1].add(target)
            yield source, target, score


def best_threshold(mined: Sequence[Mined], gold: Collection[tuple[str, str]]) -> float:
    """The score from which on pairs are kept for the best F1 against `gold`.

    It lies halfway between the last pair kept and the first one dropped. Nothing right among
    `mined` gives infinity: nothing is kept.
    """
    threshold, best, right = float("inf"), 0.0, 0
    for kept, one in enumerate(mined, 1):
        right += (one.source, one.target) in gold
        below = mined[kept].score if kept < len(mined) else one.score
        if kept < len(mined) and below == one.score:
            continue  # pairs of equal score are kept or dropped together
        score = 2 * right / (kept + len(gold))
        if score > best:
            threshold, best = (one.score + below) / 2, score
    return threshold
