"""Texts as bags of hashed character n-grams."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xharness import Strict

Buckets = NDArray[np.int64]

_PRIME = np.uint64(1_099_511_628_211)  # of the FNV-1a hash
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, Knuth's multiplicative hashing


class NgramOptions(Strict):
    """Which n-grams, and into how many buckets."""

    orders: tuple[int, ...] = Field(default=(2, 3, 4), min_length=1)
    bits: int = Field(default=14, ge=4, le=24, description="2 ** bits buckets")
    smoothing: float = Field(default=0.5, gt=0, description="added to each count")


def buckets(text: str, options: NgramOptions, salt: int = 0) -> Buckets:
    """The bucket of each character n-gram of `text`; another `salt` gives other buckets."""
    # A blank at either end marks where words begin and end: "cat" is not the middle of "scatter".
    padded = f" {' '.join(text.lower().split())} "
    codes = np.frombuffer(padded.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    hashes = [_hashes(codes, order, salt) for order in options.orders if order <= len(codes)]
    shift = np.uint64(64 - options.bits)
    return (np.concatenate(hashes or [codes[:0]]) * _SPREAD >> shift).astype(np.int64)


@lru_cache(maxsize=200_000)
def word_buckets(word: str, options: NgramOptions, salt: int = 0) -> Buckets:
    """As `buckets`, for what comes again and again; read-only, because it is shared."""
    word_hashes = buckets(word, options, salt)
    word_hashes.flags.writeable = False
    return word_hashes


def vectors(texts: Iterable[str], options: NgramOptions) -> NDArray[np.float32]:
    """Unit vectors of damped n-gram counts, shape (texts, buckets)."""
    width = 2**options.bits
    return np.stack([_unit(np.bincount(buckets(text, options), minlength=width)) for text in texts])


def _unit(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    damped = np.log1p(counts.astype(np.float32))
    length = np.sqrt(damped @ damped)
    return (damped / max(float(length), 1e-9)).astype(np.float32)


def _hashes(codes: NDArray[np.uint64], order: int, salt: int) -> NDArray[np.uint64]:
    # All windows at once: a loop over characters is what would cost time here.
    windows = np.lib.stride_tricks.sliding_window_view(codes, order)
    hashes = np.full(len(windows), order + 31 * salt, dtype=np.uint64)
    for index in range(order):
        hashes = (hashes ^ windows[:, index]) * _PRIME
    return hashes
