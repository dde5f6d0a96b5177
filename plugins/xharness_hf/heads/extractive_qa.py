"""Extractive QA: windows with stride over the context, start and end logits, offsets back.

That there is no answer is learnt as position 0, in every window that does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import ExtractiveQAExample, Prediction, Recipe, TaskCard
from xharness_hf.backbone.batch import Batch, DeviceAnswers, Feature, Ints
from xharness_hf.backbone.placement import IGNORED, Longs, Placement, Targets, filled
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.objectives import Logits, summed_cross_entropy


class SpanPrediction(NamedTuple):
    """The best span of one window: its score, and its first and last character in the context."""

    score: float
    start: int
    end: int
    null_score: float = float("inf")
    """The score of there being no answer in the window."""


class SpanLabels(NamedTuple):
    """Positions of the answer in the window, (0, 0) where it is not there; characters by mark."""

    start: int
    end: int
    offsets: Ints


class ExtractiveQaTask:
    """A feature is one window; its marks are the positions that hold context."""

    task_type = "extractive_qa"
    fixed_shape = True

    def outputs(self, card: TaskCard) -> int:
        """A start and an end logit."""
        return 2

    def features(
        self, examples: Sequence[ExtractiveQAExample], tokens: Tokens, recipe: Recipe, *, gold: bool
    ) -> list[Feature]:
        """Every window of every example; the question is whole, or as much as fits."""
        questions = tokens.ids([example.question for example in examples])
        contexts = tokens.ids_with_offsets([example.context for example in examples])
        limit = recipe.max_length
        longest = _question_room(recipe, tokens.pair_specials)
        features = []
        for index, example in enumerate(examples):
            question = questions[index][:longest]
            ids, offsets = contexts[index]
            offsets = trimmed(example.context, offsets)
            answer = _answer_tokens(example, offsets) if gold else None
            room = max(limit - len(question) - tokens.pair_specials, 1)
            for first, last in context_windows(len(ids), room, recipe.doc_stride):
                window = tokens.pair(question, ids[first:last], limit)
                marks = np.arange(window.second, window.second + last - first, dtype=np.int32)
                shift = window.second - first
                is_inside = answer is not None and first <= answer[0] and answer[1] < last
                ends = (answer[0] + shift, answer[1] + shift) if answer and is_inside else (0, 0)
                features.append(
                    Feature((window,), index, SpanLabels(*ends, offsets[first:last]), marks)
                )
        return features

    def terms(self, features: Sequence[Feature]) -> int:
        """A start and an end for each window."""
        return 2 * len(features)

    def marks(self, feature: Feature, recipe: Recipe) -> int:
        """None: the loss looks at every state."""
        return 0

    def targets(
        self, features: Sequence[Feature], placement: Placement, recipe: Recipe
    ) -> dict[str, Longs]:
        """For each state its index in (windows, length) if it may be answered; starts and ends."""
        capacity = placement.capacity
        slots = np.full(capacity.tokens, capacity.windows * capacity.length, dtype=np.int64)
        for row, (feature, start) in enumerate(zip(features, placement.starts, strict=True)):
            first = row * capacity.length
            slots[start] = first
            slots[start + feature.marks] = first + feature.marks
        starts = filled([feature.gold.start for feature in features], capacity.windows, IGNORED)
        ends = filled([feature.gold.end for feature in features], capacity.windows, IGNORED)
        excluded = np.ones((capacity.windows, capacity.length), dtype=np.int64)
        # a window that only fills up keeps its position 0: softmax over nothing is no number
        excluded[:, 0] = 0
        return {"slots": slots, "starts": starts, "ends": ends, "excluded": excluded.reshape(-1)}

    def loss(self, states: Tensor, head: Logits, targets: Targets, recipe: Recipe) -> Tensor:
        """Cross-entropy over the positions of the context and position 0: not here."""
        excluded, starts = targets["excluded"], targets["starts"]
        logits = head(states)
        defaults = torch.zeros_like(excluded, dtype=logits.dtype)
        defaults = defaults.masked_fill(excluded == 1, -torch.inf)
        # one row more takes the logits of all states that may not be answered
        rows = torch.cat([defaults, defaults.new_zeros(1)])[:, None].repeat(1, 2)
        spans = rows.index_copy(0, targets["slots"], logits)[:-1].view(len(starts), -1, 2)
        start_loss = summed_cross_entropy(spans[..., 0], starts)
        return start_loss + summed_cross_entropy(spans[..., 1], targets["ends"])

    def answers(self, states: Tensor, head: Logits, batch: Batch, recipe: Recipe) -> DeviceAnswers:
        """The best span of each window that starts before it ends and is short enough."""
        unmasked_logits = head(states)
        # position 0 was learnt as the place of no answer
        null_scores = unmasked_logits[:, 0].sum(dim=-1)
        logits = unmasked_logits.masked_fill(~_context_mask(batch).unsqueeze(-1), float("-inf"))
        spans = best_spans(logits[..., 0], logits[..., 1], recipe.max_answer_length)
        # one transfer for all; positions are small enough for float32
        values = torch.stack([*(part.float() for part in spans), null_scores.float()], dim=1)
        return DeviceAnswers(values, partial(_predictions, batch.features))

    def join(
        self,
        examples: Sequence[ExtractiveQAExample],
        features: Sequence[Feature],
        answers: Sequence[SpanPrediction],
    ) -> list[Prediction]:
        """The context's text under the best span of all of an example's windows."""
        best_spans_by_example = _best_by_example(features, answers, len(examples))
        return [
            example.context[span.start : span.end]
            for example, span in zip(examples, best_spans_by_example, strict=True)
        ]


class UnanswerableQaTask(ExtractiveQaTask):
    """As `ExtractiveQaTask`, but the answer is none where no window's best span scores higher.

    The score of no answer is the least that any window gives (Devlin et al. 2019, section 4.3, and
    the BERT code's `run_squad.py`, with threshold 0): one window that sees the answer is enough.
    """

    task_type = "extractive_qa_unanswerable"

    def join(
        self,
        examples: Sequence[ExtractiveQAExample],
        features: Sequence[Feature],
        answers: Sequence[SpanPrediction],
    ) -> list[Prediction]:
        """The text under the best span of all, or "" where having no answer scores higher."""
        spans = super().join(examples, features, answers)
        best_spans_by_example = _best_by_example(features, answers, len(examples))
        return [
            "" if best.null_score > best.score else span
            for best, span in zip(best_spans_by_example, spans, strict=True)
        ]


def _predictions(features: Sequence[Feature], values: NDArray[Any]) -> list[SpanPrediction]:
    """From (features, 4): score, positions of start and end, score of there being no answer."""
    pairs = zip(features, values.tolist(), strict=True)
    return [_prediction(feature, *row) for feature, row in pairs]


def _prediction(
    feature: Feature, score: float, start: float, end: float, null_score: float
) -> SpanPrediction:
    # No position may be answered: the context was empty, or the question took all the room.
    if score == float("-inf"):
        return SpanPrediction(score, 0, 0, null_score)
    offsets, first_mark = feature.gold.offsets, int(feature.marks[0])
    first, last = int(start) - first_mark, int(end) - first_mark
    return SpanPrediction(score, int(offsets[first][0]), int(offsets[last][1]), null_score)


def _best_by_example(
    features: Sequence[Feature], answers: Sequence[SpanPrediction], count: int
) -> list[SpanPrediction]:
    """For each example its best window, with the least score of `null_score` of all its windows."""
    best_by_example = [SpanPrediction(float("-inf"), 0, 0)] * count
    for feature, answer in zip(features, answers, strict=True):
        best = max(best_by_example[feature.owner], answer, key=lambda prediction: prediction.score)
        null_score = min(best_by_example[feature.owner].null_score, answer.null_score)
        best_by_example[feature.owner] = best._replace(null_score=null_score)
    return best_by_example


def context_windows(length: int, room: int, shared: int) -> Iterator[tuple[int, int]]:
    """(first, last) of windows of at most `room` over `length` sub-words, sharing `shared`."""
    # A stride wider than half of the room would hardly move the window on.
    step = max(room - min(shared, room // 2), 1)
    first = 0
    # an empty context still gives one window, so that every question has an answer
    while True:
        yield first, min(first + room, length)
        if first + room >= length:
            return
        first += step


def trimmed(text: str, offsets: Ints) -> Ints:
    """Offsets without the blanks that some tokenizers count into a sub-word."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    is_blank = np.fromiter(map(str.isspace, text), dtype=bool, count=len(text))
    positions = np.arange(len(text) + 1)
    # from each position on the first character that is not blank; before it, the end of the last
    next_starts = np.where(np.append(is_blank, False), len(text), positions)
    next_starts = np.minimum.accumulate(next_starts[::-1])[::-1]
    previous_ends = np.maximum.accumulate(np.where(np.insert(is_blank, 0, False), 0, positions))
    starts = np.minimum(next_starts[starts], ends)
    return np.stack([starts, np.maximum(previous_ends[ends], starts)], axis=1).astype(np.int32)


def best_spans(starts: Tensor, ends: Tensor, longest: int) -> tuple[Tensor, Tensor, Tensor]:
    """For logits (windows, length): the best score and its start and end, start <= end."""
    length = starts.shape[1]
    # Starts near the end of the window have fewer ends: the others must never win.
    padded_ends = torch.nn.functional.pad(ends, (0, longest - 1), value=float("-inf"))
    # every start with its next `longest` ends: (windows, length, longest)
    sums = starts.unsqueeze(-1) + padded_ends.unfold(1, longest, 1)[:, :length]
    scores, best_indices = sums.flatten(1).max(dim=1)
    first = best_indices // longest
    return scores, first, first + best_indices % longest


def _question_room(recipe: Recipe, specials: int) -> int:
    """Sub-words of a question, at most: as the recipe says, else half of the window."""
    half_window, window_room = recipe.max_length // 2 - specials, recipe.max_length - specials - 1
    return max(
        half_window
        if recipe.max_query_length is None
        else min(recipe.max_query_length, window_room),
        1,
    )


def _answer_tokens(example: ExtractiveQAExample, offsets: Ints) -> tuple[int, int] | None:
    """First and last sub-word of the first answer that the context holds."""
    answer = next((answer for answer in example.answers if answer.start >= 0), None)
    if answer is None:
        return None
    end = answer.start + len(answer.text)
    token_indices = np.flatnonzero(
        (offsets[:, 1] > answer.start) & (offsets[:, 0] < end) & (offsets[:, 0] < offsets[:, 1])
    )
    return (int(token_indices[0]), int(token_indices[-1])) if len(token_indices) else None


def _context_mask(batch: Batch) -> Tensor:
    """True at the marks, (windows, length)."""
    allowed = np.zeros(tuple(batch.ids.shape), dtype=np.bool_)
    for row, feature in zip(allowed, batch.features, strict=True):
        row[feature.marks] = True
    return batch.on_device(allowed, torch.bool)
