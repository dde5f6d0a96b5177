"""Budgets: the few lengths that packed rows are filled up to, so that few graphs serve all steps.

A graph computes one length. Filling rows up costs time in every step, another graph costs its
capture once: a shortest path over the lengths there are finds the budgets that cost least together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FINE, _COARSE = 64, 128  # sub-words in a tile, of rows of at most 1024 and of longer ones


@dataclass(frozen=True)
class StepPrices:
    """What a step costs on a device, in seconds."""

    launch: float
    """A captured step without sub-words: the optimiser and the least that kernels take."""
    token: float
    """One more sub-word."""
    eager: float
    """The host's time for a step that is not captured."""
    capture: float
    """Recording a step as a graph."""


@dataclass(frozen=True)
class Budget:
    """A length of rows, and how many rows are filled up to it."""

    tokens: int
    uses: int
    captured: bool
    """Whether a graph of it costs less than steps that the host launches."""


def prices(parameters: int, layers: int) -> StepPrices:
    """The prices for `parameters` outside of embeddings in so many layers, on a large device.

    After an H100: replays of 1,664 and 10,880 sub-words in 12 layers of width 384 took 4.3 and
    14.3 ms, of 1,536 and 8,320 in 24 layers of width 1,024 took 14.5 and 54.4 ms, and a kernel
    takes 2 us however short a row is; recordings took 0.03 to 0.06 and 0.07 to 0.12 s, as did steps
    that the host launches. Prices decide nothing but how many budgets there are. They are not
    measured on the machine at hand, because dropout hangs on budgets and a training is to be the
    same on all machines.
    """
    host = 2.5e-3 * layers
    # A sub-word takes 6 operations a parameter forth and back, 4.2e14 of them a second.
    device = 6 * parameters / 4.2e14 + 1e-7 * layers
    return StepPrices(launch=2e-4 * layers, token=device, eager=host, capture=host)


def budgets(totals: Sequence[int], prices: StepPrices) -> list[Budget]:
    """Ascending budgets for rows of `totals` sub-words that cost least together."""
    lengths, counts = np.unique([row_length(total) for total in totals], return_counts=True)
    ends = np.cumsum(counts)
    least, before = np.zeros(len(lengths) + 1), np.zeros(len(lengths), dtype=np.int64)
    # `least[i]` is the cost of the i shortest lengths, `before[i]` where their last budget begins.
    for last, length in enumerate(lengths):
        uses = ends[last] - np.concatenate([[0], ends[:last]])
        costs = least[: last + 1] + _least_cost(uses, prices) + uses * length * prices.token
        before[last] = np.argmin(costs)
        least[last + 1] = costs[before[last]]
    path: list[Budget] = []
    stop = len(lengths)
    while stop:
        first = int(before[stop - 1])
        uses = int(counts[first:stop].sum())
        worthwhile = bool(_graph_cost(np.array(uses), prices) < _eager_cost(np.array(uses), prices))
        path.append(Budget(int(lengths[stop - 1]), uses, worthwhile))
        stop = first
    return path[::-1]


def row_length(total: int) -> int:
    """The least length of a row that holds `total` sub-words: kernels compute in whole tiles."""
    tile = _FINE if total <= 1024 else _COARSE
    return -(-total // tile) * tile


def _graph_cost(uses: NDArray[np.int64], prices: StepPrices) -> NDArray[np.float64]:
    """Seconds of so many uses with a graph. The first use is eager: it warms the kernels up."""
    return np.asarray(prices.capture + prices.eager + (uses - 1) * prices.launch)


def _eager_cost(uses: NDArray[np.int64], prices: StepPrices) -> NDArray[np.float64]:
    return np.asarray(uses * prices.eager)


def _least_cost(uses: NDArray[np.int64], prices: StepPrices) -> NDArray[np.float64]:
    """Seconds of so many uses, the cheaper way."""
    return np.minimum(_graph_cost(uses, prices), _eager_cost(uses, prices))
