"""Extractive QA: windows with stride over the context, start and end logits, offsets back.

That there is no answer is learnt as position 0, in every window that does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xharness import ExtractiveQAExample, Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import Batch, Feature, Ints
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.objectives import Logits, summed


class SpanPrediction(NamedTuple):
    """The best span of one window: its score, and its first and last character in the context."""

    score: float
    start: int
    end: int
    none: float = float("inf")
    """The score of there being no answer in the window."""


class SpanLabels(NamedTuple):
    """Positions of the answer in the window, (0, 0) where it is not there; characters by mark."""

    start: int
    end: int
    offsets: Ints


class ExtractiveQaTask:
    """A feature is one window; its marks are the positions that hold context."""

    kind = "extractive_qa"

    def outputs(self, card: TaskCard) -> int:
        """A start and an end logit."""
        return 2

    def features(
        self, examples: Sequence[ExtractiveQAExample], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """Every window of every example; the question is whole, or as much as fits."""
        questions = tokens.ids([one.question for one in examples])
        contexts = tokens.spelled([one.context for one in examples])
        limit = recipe.max_length
        longest = _question_room(recipe, tokens.pair_specials)
        found = []
        for place, one in enumerate(examples):
            question = questions[place][:longest]
            ids, offsets = contexts[place]
            offsets = trimmed(one.context, offsets)
            answer = _answer(one, offsets) if gold else None
            room = max(limit - len(question) - tokens.pair_specials, 1)
            for first, last in stretches(len(ids), room, recipe.doc_stride):
                window = tokens.pair(question, ids[first:last], limit)
                marks = np.arange(window.second, window.second + last - first, dtype=np.int32)
                shift = window.second - first
                inside = answer is not None and first <= answer[0] and answer[1] < last
                ends = (answer[0] + shift, answer[1] + shift) if answer and inside else (0, 0)
                found.append(
                    Feature((window,), place, SpanLabels(*ends, offsets[first:last]), marks)
                )
        return found

    def terms(self, features: Sequence[Feature]) -> int:
        """A start and an end for each window."""
        return 2 * len(features)

    def loss(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> Tensor:
        """Cross-entropy over the positions of the context and position 0: not here."""
        allowed = _context(batch)
        allowed[:, 0] = True
        logits = head(states).masked_fill(~allowed.unsqueeze(-1), float("-inf"))
        starts = batch.on_device([feature.gold.start for feature in batch.features])
        ends = batch.on_device([feature.gold.end for feature in batch.features])
        return summed(logits[..., 0], starts) + summed(logits[..., 1], ends)

    def answers(
        self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe
    ) -> list[SpanPrediction]:
        """The best span of each window that starts before it ends and is short enough."""
        free = head(states)
        nones = free[:, 0].sum(dim=-1).tolist()
        logits = free.masked_fill(~_context(batch).unsqueeze(-1), float("-inf"))
        scores, starts, ends = best_spans(logits[..., 0], logits[..., 1], recipe.max_answer_length)
        found = []
        for feature, *one in zip(batch.features, scores, starts, ends, nones, strict=True):
            found.append(_found(feature, *one))
        return found

    def join(
        self,
        examples: Sequence[ExtractiveQAExample],
        features: Sequence[Feature],
        answers: Sequence[SpanPrediction],
    ) -> list[Prediction]:
        """The context's text under the best span of all of an example's windows."""
        top = _top(features, answers, len(examples))
        return [one.context[span.start : span.end] for one, span in zip(examples, top, strict=True)]


class UnanswerableQaTask(ExtractiveQaTask):
    """As `ExtractiveQaTask`, but the answer is none where no window's best span scores higher.

    The score of no answer is the least that any window gives (Devlin et al. 2019, section 4.3, and
    the BERT code's `run_squad.py`, with threshold 0): one window that sees the answer is enough.
    """

    kind = "extractive_qa_unanswerable"

    def join(
        self,
        examples: Sequence[ExtractiveQAExample],
        features: Sequence[Feature],
        answers: Sequence[SpanPrediction],
    ) -> list[Prediction]:
        """The text under the best span of all, or "" where having no answer scores higher."""
        spans = super().join(examples, features, answers)
        top = _top(features, answers, len(examples))
        return [
            "" if best.none > best.score else span for best, span in zip(top, spans, strict=True)
        ]


def _found(feature: Feature, score: float, start: int, end: int, none: float) -> SpanPrediction:
    if score == float("-inf"):
        return SpanPrediction(score, 0, 0, none)
    offsets, zero = feature.gold.offsets, int(feature.marks[0])
    return SpanPrediction(score, int(offsets[start - zero][0]), int(offsets[end - zero][1]), none)


def _top(
    features: Sequence[Feature], answers: Sequence[SpanPrediction], count: int
) -> list[SpanPrediction]:
    """For each example its best window, with the least score of `none` of all its windows."""
    top = [SpanPrediction(float("-inf"), 0, 0)] * count
    for feature, answer in zip(features, answers, strict=True):
        best = max(top[feature.owner], answer, key=lambda one: one.score)
        none = min(top[feature.owner].none, answer.none)
        top[feature.owner] = best._replace(none=none)
    return top


def stretches(length: int, room: int, shared: int) -> Iterator[tuple[int, int]]:
    """(first, last) of windows of at most `room` over `length` sub-words, sharing `shared`."""
    step = max(room - min(shared, room // 2), 1)
    first = 0
    while True:
        yield first, min(first + room, length)
        if first + room >= length:
            return
        first += step


def trimmed(text: str, offsets: Ints) -> Ints:
    """Offsets without the blanks that some tokenizers count into a sub-word."""
    found = offsets.copy()
    for span in found:
        while span[0] < span[1] and text[span[0]].isspace():
            span[0] += 1
        while span[0] < span[1] and text[span[1] - 1].isspace():
            span[1] -= 1
    return found


def best_spans(
    starts: Tensor, ends: Tensor, longest: int
) -> tuple[list[float], list[int], list[int]]:
    """For logits (windows, length): the best score and its start and end, start <= end."""
    length = starts.shape[1]
    wide = torch.nn.functional.pad(ends, (0, longest - 1), value=float("-inf"))
    sums = starts.unsqueeze(-1) + wide.unfold(1, longest, 1)[:, :length]
    scores, places = sums.flatten(1).max(dim=1)
    first = places // longest
    return scores.tolist(), first.tolist(), (first + places % longest).tolist()


def _question_room(recipe: Recipe, specials: int) -> int:
    """Sub-words of a question, at most: as the recipe says, else half of the window."""
    half, whole = recipe.max_length // 2 - specials, recipe.max_length - specials - 1
    return max(half if recipe.max_query_length is None else min(recipe.max_query_length, whole), 1)


def _answer(example: ExtractiveQAExample, offsets: Ints) -> tuple[int, int] | None:
    """First and last sub-word of the first answer that the context holds."""
    answer = next((one for one in example.answers if one.start >= 0), None)
    if answer is None:
        return None
    end = answer.start + len(answer.text)
    inside = np.flatnonzero(
        (offsets[:, 1] > answer.start) & (offsets[:, 0] < end) & (offsets[:, 0] < offsets[:, 1])
    )
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def _context(batch: Batch) -> Tensor:
    """True at the marks, (windows, length)."""
    allowed = np.zeros(tuple(batch.ids.shape), dtype=np.bool_)
    for row, feature in zip(allowed, batch.features, strict=True):
        row[feature.marks] = True
    return batch.on_device(allowed, torch.bool)
