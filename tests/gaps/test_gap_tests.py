"""Tests language by language."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.gaps.handmade import Rows, right
from tests.gaps.test_gap_laws import answers

from xharness.gaps import Items
from xharness.gaps.contrasts import TANGO, WELCH
from xharness.gaps.intervals import holm, tango


def _two(base, better, **facts):
    rows = Rows().arm(base, **facts).arm(better, strategy="multitask", **facts)
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change
    return change


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 0.9), st.floats(0.2, 0.9))
def test_one_seed_is_tested_by_mcnemars_square(seed, base_rate, other_rate):
    base, better = (
        answers(seed + index, 40, {"en": 0.8, "sw": rate})
        for index, rate in enumerate((base_rate, other_rate))
    )
    tests = _two(base, better).tests["sw"]
    arm_answers, base_answers = (
        np.array(answers_of_arm["sw"][0]) for answers_of_arm in (better, base)
    )
    gained, lost = np.sum(arm_answers > base_answers), np.sum(arm_answers < base_answers)
    square = (gained - lost) ** 2 / max(gained + lost, 1)
    assert tests.method == TANGO
    assert tests.difference.p == pytest.approx(stats.chi2.sf(square, 1))
    assert tests.difference.low is not None and tests.difference.high is not None
    excludes = tests.difference.low > 0 or tests.difference.high < 0
    assert excludes == (tests.difference.p < 0.05)


def test_tangos_interval_is_the_published_one():
    """Fagerland, Lydersen & Laake 2014 (Statistics in Medicine 33), airway hyper-responsiveness."""
    low, high = tango(np.array([1.0]), np.array([7.0]), np.array([21.0]))
    assert (round(low[0] / 100, 3), round(high[0] / 100, 3)) == (-0.517, -0.026)


def test_no_table_has_an_interval_that_is_a_point():
    low, high = tango(np.zeros(3), np.zeros(3), np.array([1.0, 30.0, 1000.0]))
    assert (low < 0).all() and (high > 0).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_holm_rejects_as_it_is_defined(values):
    adjusted = holm(values)
    ordered = sorted(values)
    for level in (0.01, 0.05, 0.5):
        failing = (index for index, p in enumerate(ordered) if p > level / (len(values) - index))
        step = next(failing, len(values))
        assert sum(p is not None and p <= level for p in adjusted) == pytest.approx(step, abs=1e-9)
    assert all(p >= raw for p, raw in zip(adjusted, values, strict=True) if p is not None)
    by_value = [p for _, p in sorted(zip(values, adjusted, strict=True))]
    assert all(p <= following for p, following in pairwise(by_value))


def test_what_has_no_test_is_not_counted_as_one():
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([]) == []


def test_several_seeds_are_tested_by_welch():
    base = answers(1, 300, {"en": 0.9, "sw": 0.5, "th": 0.5}, seeds=4)
    better = answers(2, 300, {"en": 0.9, "sw": 0.8, "th": 0.5}, seeds=4)
    tests = _two(base, better).tests
    assert {test.method for test in tests.values()} == {WELCH}
    assert tests["sw"].adjusted is not None and tests["sw"].adjusted < 0.05
    assert tests["th"].adjusted is not None and tests["th"].adjusted > 0.05


def test_a_score_that_is_no_share_of_right_answers_is_tested_by_welch():
    rows = Rows().arm(answers(1, 300, {"en": 0.9, "sw": 0.5}))
    rows.arm(answers(2, 300, {"en": 0.9, "sw": 0.6}), strategy="multitask")
    for key, items in rows.evidence.items():
        statistics = items.statistics
        statistics[0] = (0.5, 1)
        rows.evidence[key] = Items.of(*key, items.ids, statistics)
        value = 100 * statistics[:, 0].mean()
        rows.rows = [
            replace(row, value=value) if (row.stage, row.language) == key else row
            for row in rows.rows
        ]
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and {test.method for test in change.tests.values()} == {WELCH}


def test_without_items_and_seeds_there_is_no_test():
    base = {"en": [right(9, 10)], "sw": [right(5, 10)]}
    tests = _two(base, base, evidence=False).tests["sw"]
    assert tests.difference.p is None and tests.adjusted is None
