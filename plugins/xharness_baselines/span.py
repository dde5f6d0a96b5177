"""Answers as windows of words: seen in answers before, and beside words of the question."""

from __future__ import annotations

import re

import numpy as np

from xharness.extend import Floats
from xharness.kinds import Answer, SpanExample
from xharness_baselines.text import NgramOptions, buckets, word_buckets

_WORD = re.compile(r"\S+")
_AROUND = 8  # words on either side that speak for a window


def words(context: str) -> list[str]:
    """The words of a context."""
    return _WORD.findall(context)


def in_answer(example: SpanExample) -> list[int]:
    """For each word of the context, whether it belongs to the first located answer, if any."""
    answer = next((one for one in example.answers if one.start >= 0), Answer("", 0))
    end = answer.start + len(answer.text)
    found = _WORD.finditer(example.context)
    return [int(word.start() < end and word.end() > answer.start) for word in found]


def best_window(example: SpanExample, odds: Floats, size: int, options: NgramOptions) -> str:
    """The `size` words with the highest log-odds, shape (words,), and the question around them.

    Words that the question has itself speak for their neighbours, as in the sliding window of
    Richardson et al. 2013, and against themselves.
    """
    found = words(example.context)
    asked = np.zeros(2**options.bits, dtype=bool)
    asked[buckets(example.question, options)] = True
    shared = [float(asked[word_buckets(word, options)].mean()) for word in found]
    near = np.concatenate([[0.0], np.cumsum(shared)])
    own = np.concatenate([[0.0], np.cumsum(odds)])
    best, place = -np.inf, 0
    for first in range(max(1, len(found) - size + 1)):
        last = min(first + size, len(found))
        around = near[min(last + _AROUND, len(found))] - near[max(first - _AROUND, 0)]
        score = around - 2 * (near[last] - near[first]) + (own[last] - own[first]) / size
        if score > best:
            best, place = float(score), first
    return " ".join(found[place : place + size])
