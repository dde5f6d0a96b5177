"""Answers as windows of words: seen in answers before, and beside words of the question."""

from __future__ import annotations

import re

import numpy as np

from xharness import ExtractiveQAExample, Floats, GoldAnswer
from xharness_baselines.text import NgramOptions, buckets, word_buckets

_WORD = re.compile(r"\S+")
_AROUND = 8  # words on either side that speak for a window


def words(context: str) -> list[str]:
    """The words of a context."""
    return _WORD.findall(context)


def in_answer(example: ExtractiveQAExample) -> list[int]:
    """For each word of the context, whether it belongs to the first located answer, if any."""
    answer = next((answer for answer in example.answers if answer.start >= 0), GoldAnswer("", 0))
    end = answer.start + len(answer.text)
    matches = _WORD.finditer(example.context)
    return [int(word.start() < end and word.end() > answer.start) for word in matches]


def best_window(
    example: ExtractiveQAExample, odds: Floats, size: int, options: NgramOptions
) -> str:
    """The `size` words with the highest log-odds, shape (words,), and the question around them.

    Words that the question has itself speak for their neighbours, as in the sliding window of
    Richardson et al. 2013, and against themselves.
    """
    context_words = words(example.context)
    question_buckets = np.zeros(2**options.bits, dtype=bool)
    question_buckets[buckets(example.question, options)] = True
    shared = [float(question_buckets[word_buckets(word, options)].mean()) for word in context_words]
    shared_sums = np.concatenate([[0.0], np.cumsum(shared)])
    odds_sums = np.concatenate([[0.0], np.cumsum(odds)])
    best_score, best_first = -np.inf, 0
    for first in range(max(1, len(context_words) - size + 1)):
        # Less than `size` words only where the whole context has no more.
        last = min(first + size, len(context_words))
        neighbourhood = (
            shared_sums[min(last + _AROUND, len(context_words))]
            - shared_sums[max(first - _AROUND, 0)]
        )
        score = (
            neighbourhood
            - 2 * (shared_sums[last] - shared_sums[first])
            + (odds_sums[last] - odds_sums[first]) / size
        )
        if score > best_score:
            best_score, best_first = float(score), first
    return " ".join(context_words[best_first : best_first + size])
