"""Has an arm learnt a task? Only what is above the best answer that doesn't look at the item.

An answer that ignores the item is right with probability Σ q_k π_k at most max π_k, whatever the
shares q of its guesses, so a test against the share of the commonest gold answer holds its level
for every guesser. It is made with the items of one seed: seeds share them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.gaps.influences import ArmItems
from xharness.gaps.intervals import wilson_limits
from xharness.gaps.sampled import Sampled
from xharness.gaps.scores import ScoreRow
from xharness.gaps.values import LearningCheck
from xharness.task_types.base import Floats

BARELY = 5.0  # points above the floor; below, gaps come out too small (docs/statistics.md)
CONSTANT = 95.0  # percent of the items with one answer that make it constant
_LEVEL = 0.01  # strict: of a board's many tasks a guesser must not pass on the luckiest
_UNKNOWN_FLOOR = 5.0  # points, of a score whose floor nobody tells (docs/statistics.md)
_SLACK = 1e-9  # a score is a quotient: 2 of 3 right answers must not come back as 1.99…


def floor_of(row: ScoreRow) -> float:
    """The chance floor of one score: from its gold, else a uniform guess, else 5 points."""
    if row.floor is not None:
        return row.floor
    # Rows that others published have no items, so no gold to take a floor from.
    return row.chance if row.chance is not None else _UNKNOWN_FLOOR


def above_floor(
    scores: Floats, floors: Floats, items: Floats, variances: Floats | None, *, right_or_wrong: bool
) -> Floats:
    """Whether scores in points are above their floors, one-sided at 1%; all of one shape.

    Right or wrong answers by the exact binomial test, others by the lower 98% limit of Wilson with
    the items that `variances`, squared points of one seed, are worth. Where nobody says how many
    items there are, above is above.
    """
    from scipy import special

    unknown = np.isnan(items)
    count = np.where(unknown, 1, items)
    if right_or_wrong:
        # a mean over seeds is seldom whole; the lower number keeps the level
        right = np.floor(scores / 100 * count + _SLACK)
        p = np.where(right > 0, special.bdtrc(right - 1, count, floors / 100), 1.0)
        passed = p <= _LEVEL
    else:
        share = scores / 100
        inner = share * (1 - share)
        if variances is not None:
            worth = inner / np.where(variances > 0, variances / 100**2, np.nan)
            count = np.where((inner > 0) & np.isfinite(worth), worth, count)
        passed = wilson_limits(share, count, -special.ndtri(_LEVEL))[0] > floors
    return np.where(unknown, scores > floors, passed)


def check(arm: ArmItems, source: Sampled | None) -> LearningCheck:
    """Judge an arm on one task by its scores in the source language."""
    language = arm.cells.source_language
    if language is None or source is None:
        return LearningCheck()
    rows = [arm.cells.rows[seed, language] for seed in arm.cells.seeds]
    floor = float(np.mean([floor_of(row) for row in rows]))
    scores = np.array([source.value, *source.values])
    variances = None if source.item_covariance is None else np.diag(source.item_covariance)
    passed = above_floor(
        scores,
        np.full_like(scores, floor),
        # items of one seed, not of all: the seeds answered the same ones
        np.repeat(arm.counts([language]), len(scores)),
        None if variances is None else np.array([variances.mean(), *variances]),
        right_or_wrong=arm.right_or_wrong,
    ).astype(bool)
    answer, share = _constant(rows)
    failed = tuple(
        row.seed
        for row, is_above in zip(rows, passed[1:], strict=True)
        if not is_above or (row.constant_share or 0) >= CONSTANT
    )
    if not passed[0]:
        return LearningCheck("not learnt", floor, failed, answer, share)
    if failed:
        return LearningCheck("unstable", floor, failed, answer, share)
    barely = source.value - floor < BARELY
    return LearningCheck("barely learnt" if barely else "learnt", floor, (), answer, share)


def _constant(rows: Sequence[ScoreRow]) -> tuple[str | None, float | None]:
    """The answer that some seed gives nearly always, and how often it does."""
    row = max(rows, key=lambda row: row.constant_share or 0)
    if (row.constant_share or 0) < CONSTANT:
        return None, None
    return row.constant_answer, row.constant_share
