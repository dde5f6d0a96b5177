"""Items drawn with replacement, the same draws for every arm.

Sellam et al. 2022, The MultiBERTs (arXiv 2106.16163), section 4: items and seeds are two crossed
factors, and paired comparisons give both arms the same draws. Items are drawn here; what seeds add
is taken in closed form, in `intervals`.

A *curve* is an array whose first axis holds the estimate at 0 and the resamples after it, so that
one piece of arithmetic serves both. Its second axis, where there is one, holds the seeds.
"""

from __future__ import annotations

import numpy as np

from xharness.digests import digest
from xharness.task_types.base import Floats

_BLOCK = 1 << 18  # weights held at a time: 2 MB stay near the processor


def resampled_sums(statistics: Floats, resamples: int, key: object) -> Floats:
    """Sums of (items, k) statistics over items drawn with replacement: (resamples, k).

    The same `key` (any JSON value), number of items and resamples give the same draws.
    """
    items = len(statistics)
    bits = np.random.PCG64(int(digest(key), 16))
    rows = max(1, _BLOCK // items)
    sums = np.empty((resamples, statistics.shape[1]))
    for start in range(0, resamples, rows):
        block = sums[start : start + rows]
        np.matmul(_weights(bits, items, len(block)), statistics, out=block)
    return sums


def _weights(bits: np.random.PCG64, items: int, resamples: int) -> Floats:
    """Multinomial weights (resamples, items): how often each of `items` draws hits an item.

    From raw bits, 32 a draw: of all its random numbers, numpy promises only these to stay the same
    from one release to the next, and a board must not change with numpy. Bias: items / 2^32.
    """
    draws = resamples * items
    raw = np.asarray(bits.random_raw((draws + 1) // 2)).astype("<u8", copy=False).view("<u4")
    picks = raw[:draws].astype(np.uint64)
    picks *= np.uint64(items)
    picks >>= np.uint64(32)
    places = picks.astype(np.intp).reshape(resamples, items)
    places += np.arange(resamples)[:, None] * items
    counts = np.bincount(places.ravel(), minlength=draws)
    return counts.reshape(resamples, items).astype(np.float64)
