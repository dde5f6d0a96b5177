"""Paired tests, language by language: does a strategy answer the same items otherwise?

One seed and answers that are right or wrong: exact McNemar (McNemar 1947, Psychometrika 12).
Several seeds, or scores that are no shares of right answers: the paired bootstrap of the change.
Holm 1979 (Scandinavian Journal of Statistics 6) corrects over the languages of a task.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.gaps.curves import Curves
from xharness.gaps.evidence import Items
from xharness.gaps.intervals import estimate, p_value
from xharness.gaps.samples import Sample
from xharness.gaps.values import Estimate, Test
from xharness.task_types.base import Floats

MCNEMAR, BOOTSTRAP = "exact McNemar", "paired bootstrap"


def tests(arm: Sample, base: Sample, changed: Curves) -> dict[str, Test]:
    """A test for each language of `changed`, the arm minus the baseline."""
    found = [_test(arm, base, changed, one) for one in changed.languages]
    adjusted = holm([p for _, p, _ in found])
    return {
        language: Test(difference, p, holms, method)
        for language, (difference, p, method), holms in zip(
            changed.languages, found, adjusted, strict=True
        )
    }


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p values, each raised as far as the smaller ones demand; None stays None."""
    known = np.array([one for one in values if one is not None])
    order = np.argsort(known)
    raised = np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1))
    adjusted = np.empty_like(known)
    adjusted[order] = np.minimum(raised, 1)
    after = iter(adjusted.tolist())
    return [None if one is None else round(next(after), 6) for one in values]


def _test(
    arm: Sample, base: Sample, changed: Curves, language: str
) -> tuple[Estimate, float | None, str]:
    difference = estimate(changed.languages[language], changed.over, changed.counted)
    if len(changed.seeds) == 1:
        place = changed.seeds[0], language
        ours, theirs = (_right(one.evidence.get(place)) for one in (arm, base))
        if ours is not None and theirs is not None:
            return difference, _mcnemar(ours, theirs), MCNEMAR
    return difference, p_value(difference), BOOTSTRAP


def _right(items: Items | None) -> Floats | None:
    """1 for each item answered right, 0 for the others; None where answers are not so simple."""
    if items is None or items.statistics.shape[1] != 2:
        return None
    right, counted = items.statistics.T
    return right if np.isin(right, (0, 1)).all() and (counted == 1).all() else None


def _mcnemar(ours: Floats, theirs: Floats) -> float:
    """Two-sided and exact: of the items that one of both got right, half would be either's."""
    from scipy import stats

    gained, lost = int((ours > theirs).sum()), int((ours < theirs).sum())
    if gained + lost == 0:
        return 1.0
    return round(float(stats.binomtest(gained, gained + lost).pvalue), 6)
