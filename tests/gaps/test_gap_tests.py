"""Tests language by language, and the places they leave on the board."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from tests.gaps.handmade import Rows, right
from tests.gaps.test_gap_laws import answers

from xharness.gaps.paired import BOOTSTRAP, MCNEMAR, holm


def _two(base, other, **facts):
    rows = Rows().arm(base, **facts).arm(other, strategy="multitask", **facts)
    change = rows.gaps(resamples=1000).change(("m", "multitask"), "nli")
    assert change
    return change


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 0.9), st.floats(0.2, 0.9))
def test_one_seed_is_tested_as_statsmodels_tests_it(seed, base_rate, other_rate):
    base, other = (
        answers(seed + place, 40, {"en": 0.8, "sw": rate})
        for place, rate in enumerate((base_rate, other_rate))
    )
    found = _two(base, other).tests["sw"]
    one, two = (np.array(some["sw"][0]) for some in (base, other))
    table = [[np.sum(one * two), np.sum(one > two)], [np.sum(one < two), np.sum(one + two == 0)]]
    assert found.method == MCNEMAR
    assert found.p == pytest.approx(mcnemar(table, exact=True).pvalue, abs=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 50), st.integers(0, 10_000))
def test_holm_is_the_one_of_statsmodels(count, seed):
    values = (np.random.default_rng(seed).random(count) ** 4).tolist()
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1], abs=1e-6)


def test_what_has_no_test_is_not_counted_as_one():
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([]) == []


def test_several_seeds_are_tested_by_the_paired_bootstrap():
    base = answers(1, 300, {"en": 0.9, "sw": 0.5, "th": 0.5}, seeds=4)
    other = answers(2, 300, {"en": 0.9, "sw": 0.8, "th": 0.5}, seeds=4)
    found = _two(base, other).tests
    assert {one.method for one in found.values()} == {BOOTSTRAP}
    assert found["sw"].adjusted is not None and found["sw"].adjusted < 0.05
    assert found["th"].adjusted is not None and found["th"].adjusted > 0.05
    for one in found.values():
        assert one.p is not None and (one.p < 0.05) == (one.difference.sign != 0)


def test_the_test_of_a_score_that_is_no_share_is_the_bootstrap():
    base = answers(1, 300, {"en": 0.9, "sw": 0.5})
    rows = Rows().arm(base).arm(answers(2, 300, {"en": 0.9, "sw": 0.6}), strategy="multitask")
    for key, one in rows.evidence.items():
        one.statistics[0] = (0.5, 1)
        rows.rows = [
            row.model_copy(update={"value": 100 * one.statistics[:, 0].mean()})
            if (row.stage, row.language) == key
            else row
            for row in rows.rows
        ]
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and {one.method for one in change.tests.values()} == {BOOTSTRAP}


def test_nothing_to_resample_is_no_test():
    base = {"en": [right(9, 10)], "sw": [right(5, 10)]}
    found = _two(base, base, evidence=False).tests["sw"]
    assert found.p is None and found.adjusted is None


def test_arms_that_cannot_be_told_apart_share_a_place():
    rows = Rows()
    for model, rate in (("a", 0.80), ("b", 0.79), ("c", 0.5)):
        rows.arm(answers(ord(model) + 1, 400, {"en": 0.9, "sw": rate}, seeds=3), model)
    ranks = {one.model: dict(one.ranks) for one in rows.gaps().tasks}
    assert ranks["c"] == {"gap": 3, "mean": 3}
    assert ranks["a"]["gap"] == ranks["b"]["gap"] == ranks["a"]["mean"] == ranks["b"]["mean"] == 1
    assert [one.ranks for one in rows.gaps().averages] == [ranks[one] for one in "abc"]


def test_an_arm_without_interval_has_no_place():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, evidence=False)
    assert rows.gaps().tasks[0].ranks == {}
