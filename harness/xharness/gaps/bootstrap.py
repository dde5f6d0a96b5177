"""The multi-bootstrap: items and seeds drawn with replacement, the same draws for every arm.

Sellam et al. 2022, The MultiBERTs (arXiv 2106.16163), section 4: items and seeds are resampled as
two crossed factors; paired comparisons give both arms the same draws. Intervals are percentile
intervals: Efron & Tibshirani 1993, An Introduction to the Bootstrap, section 13.3.

A *curve* is an array whose first axis holds the estimate at 0 and the resamples after it, so that
one piece of arithmetic serves both.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.digest import digest
from xharness.gaps.values import Estimate, Seed
from xharness.kinds.base import Floats

_BLOCK = 1_000_000  # weights held at a time: some 32 MB
_DECIMALS = 6  # what is left of a point after sums in another order on another machine


def resampled_sums(statistics: Floats, resamples: int, key: object) -> Floats:
    """Sums of (items, k) statistics over items drawn with replacement: (resamples, k).

    The same `key` (any JSON value), number of items and resamples give the same draws.
    """
    items = len(statistics)
    bits = _bits(key)
    rows = max(1, _BLOCK // items)
    blocks = [
        _weights(bits, items, min(rows, resamples - start)) @ statistics
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(blocks)


def seed_shares(seeds: Sequence[Seed], resamples: int, key: object) -> Floats:
    """How much each seed weighs in each resample: a curve of shape (1 + resamples, seeds)."""
    drawn = _weights(_bits([key, list(seeds)]), len(seeds), resamples)
    return np.concatenate([np.ones((1, len(seeds))), drawn]) / len(seeds)


def estimate(curve: Floats, *, interval: bool) -> Estimate:
    """The estimate of a curve of shape (1 + resamples,) and its 95% percentile interval."""
    value = _rounded(curve[0])
    if not interval:
        return Estimate(value)
    low, high = np.percentile(curve[1:], (2.5, 97.5))
    return Estimate(value, _rounded(low), _rounded(high))


def _bits(key: object) -> np.random.PCG64:
    return np.random.PCG64(int(digest(key), 16))


def _weights(bits: np.random.PCG64, items: int, resamples: int) -> Floats:
    """Multinomial weights (resamples, items): how often each of `items` draws hits an item.

    From raw bits: of all its random numbers, numpy promises only these to stay the same from one
    release to the next, and a board must not change with numpy. Bias: items / 2^32.
    """
    raw = np.asarray(bits.random_raw(resamples * items)) >> np.uint64(32)
    picks = ((raw * np.uint64(items)) >> np.uint64(32)).astype(np.intp).reshape(resamples, items)
    picks += np.arange(resamples)[:, None] * items
    counts = np.bincount(picks.ravel(), minlength=resamples * items)
    return counts.reshape(resamples, items).astype(np.float64)


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
