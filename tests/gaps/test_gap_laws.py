"""Laws of the intervals."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.gaps.handmade import F1, Rows

from xharness.gaps import Detectable, Estimate, Items, detectable_text, rounded, slope_text
from xharness.gaps.intervals import detectable, estimates
from xharness.gaps.spread import Spread, detectable_errors

_quick = settings(max_examples=25, deadline=None)


def answers(seed: int, items: int, rates: dict[str, float], seeds: int = 1):
    """Right and wrong answers, at random."""
    chance = random.Random(seed)
    return {
        language: [[int(chance.random() < rate) for _ in range(items)] for _ in range(seeds)]
        for language, rate in rates.items()
    }


RATES = {"en": 0.85, "sw": 0.6, "th": 0.7}


@_quick
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_the_interval_contains_the_estimate(seed, seeds, parallel):
    rows = Rows().arm(answers(seed, 60, RATES, seeds), parallel=parallel)
    (task_gap,) = rows.gaps().tasks
    for estimate in (task_gap.source, task_gap.others, task_gap.gap, *task_gap.scores.values()):
        assert estimate and estimate.low is not None and estimate.high is not None
        assert estimate.low < estimate.value < estimate.high


def test_the_interval_shrinks_with_more_items():
    widths = []
    for items in (50, 500, 5000):
        gap = Rows().arm(answers(1, items, RATES)).gaps().tasks[0].gap
        assert gap and gap.low is not None and gap.high is not None
        widths.append(gap.high - gap.low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


@_quick
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_identical_arms_have_no_change_and_still_an_interval(seed, seeds):
    equal_answers = answers(seed, 40, RATES, seeds)
    rows = Rows().arm(equal_answers).arm(equal_answers, strategy="multitask")
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change
    for estimate in (change.source, change.others, change.gap):
        assert estimate and estimate.low is not None and estimate.high is not None
        assert estimate.value == 0 and estimate.low < 0 < estimate.high and estimate.p == 1
    assert all(test.difference.p == 1 for test in change.tests.values())


def test_other_arms_do_not_move_an_interval():
    single_arm = Rows().arm(answers(1, 50, RATES, 2))
    among = Rows().arm(answers(1, 50, RATES, 2)).arm(answers(2, 50, RATES, 2), model="another")
    assert single_arm.gaps().task(("m", "single"), "nli") == among.gaps().task(
        ("m", "single"), "nli"
    )


def test_neither_the_order_of_rows_nor_of_items_matters():
    straight, shuffled = Rows().arm(answers(1, 50, RATES, 2)), Rows().arm(answers(1, 50, RATES, 2))
    shuffled.rows.reverse()
    for key, items in shuffled.evidence.items():
        shuffled.evidence[key] = Items.of(*key, items.ids[::-1], items.statistics[::-1])
    assert straight.gaps() == shuffled.gaps()


def test_parallel_items_pull_together_and_pairing_narrows_the_gap():
    equal_answers = answers(5, 200, {"en": 0.7})["en"]
    apart = Rows().arm({"en": equal_answers, "sw": equal_answers})
    together = Rows().arm({"en": equal_answers, "sw": equal_answers}, parallel=True)
    loose, tight = apart.gaps().tasks[0].gap, together.gaps().tasks[0].gap
    assert loose and tight and tight.value == 0
    # One item gained and one lost is left of the doubt.
    assert tight.low is not None and loose.low is not None and loose.low < -9 < -2 < tight.low < 0
    assert loose.low is not None and loose.low < -5


def test_parallel_items_whose_ids_differ_fall_back_and_say_so():
    ids = {"en": [f"en{item}" for item in range(50)], "sw": [f"sw{item}" for item in range(50)]}
    equal_answers = answers(5, 50, {"en": 0.7})["en"]
    (task_gap,) = (
        Rows().arm({"en": equal_answers, "sw": equal_answers}, parallel=True, ids=ids).gaps().tasks
    )
    assert task_gap.gap and task_gap.gap.low is not None and task_gap.gap.low < 0
    assert task_gap.notes == (
        "the items differ between languages: only the same ones are counted together",
    )


def test_seeds_that_share_a_stage_are_one_result():
    rows = Rows().arm(answers(1, 50, RATES))
    rows.rows += [replace(row, seed=2) for row in rows.rows]
    assert rows.gaps().tasks[0].notes == ("every seed has the same result: nothing was trained",)


@_quick
@given(st.integers(0, 10_000), st.integers(20, 200), st.floats(0.1, 0.9))
def test_the_error_of_an_accuracy_is_its_formula(seed, items, rate):
    right = answers(seed, items, {"en": 0.7, "sw": rate})
    (task_gap,) = Rows().arm(right).gaps().tasks
    for language, (answers_given,) in right.items():
        error = 100 * np.std(answers_given, ddof=1) / np.sqrt(items)
        if error:
            assert task_gap.scores[language].error == pytest.approx(error, rel=1e-6)


@pytest.mark.parametrize("parallel", [True, False])
def test_the_error_of_an_f1_gap_is_that_of_resampled_items(parallel):
    rng = np.random.default_rng(1)
    statistics = {
        code: rng.integers(0, 4, (400, 3)) * (rng.random((400, 1)) < 0.9) for code in ("en", "sw")
    }
    rows = Rows()
    for code, counts in statistics.items():
        rows.arm({code: [[1] * 400]}, task_type="tagging", metric="f1", parallel=parallel,
                 value=100 * float(F1.value(counts.sum(axis=0).astype(float))))  # fmt: skip
        key = ("m-single-nli-1", code)
        rows.evidence[key] = Items.of(*key, [f"{item:04}" for item in range(400)], counts)
    (task_gap,) = rows.gaps().tasks
    draws = [rng.multinomial(400, [1 / 400] * 400, 4000).astype(float) for _ in range(2)]
    draws[1] = draws[0] if parallel else draws[1]
    english, swahili = (
        100 * F1.value(draw @ statistics[code].astype(float))
        for draw, code in zip(draws, ("en", "sw"), strict=True)
    )
    assert task_gap.gap and task_gap.gap.error == pytest.approx((english - swahili).std(), rel=0.04)


@_quick
@given(
    st.floats(0.0, 5.0),
    st.lists(st.tuples(st.floats(0.01, 5.0), st.integers(1, 9)), max_size=3),
    st.floats(0.05, 30.0),
)
def test_interval_and_test_are_one(items, seeds, value):
    spread = Spread(
        np.array([items + 0.01]),
        np.array([[variance] for variance, _ in seeds]).reshape(-1, 1),
        np.array([[float(degrees)] for _, degrees in seeds]).reshape(-1, 1),
    )
    (estimate,) = estimates(np.array([value]), spread, test=True)
    assert estimate.p is not None and estimate.low is not None and estimate.error is not None
    assert (estimate.p < 0.05) == (estimate.low > 0)
    if 1e-12 < estimate.p < 1 - 1e-6:
        reach = spread.quantile(estimate.p) * spread.error
        assert float(reach[0]) == pytest.approx(value, rel=1e-6)


@_quick
@given(st.integers(2, 12), st.floats(0.01, 0.99))
def test_the_quantile_of_seeds_alone_is_students(seeds, level):
    spread = Spread(np.zeros(1), np.ones((1, 1)), np.full((1, 1), seeds - 1.0))
    expected = stats.t.ppf(1 - level / 2, seeds - 1)
    assert float(spread.quantile(level)[0]) == pytest.approx(expected)


@pytest.mark.parametrize(("degrees", "factor"), [(1, 16.3), (2, 5.65), (4, 3.76), (8, 3.20)])
def test_detectable_is_the_noncentral_t(degrees, factor):
    """By quadrature: the mean over chi-square quantiles of the normal tails given the error."""
    reach = float(stats.t.ppf(0.975, degrees))
    errors = detectable_errors(reach, float(degrees))
    chi = stats.chi2.ppf((np.arange(4000) + 0.5) / 4000, degrees)
    limits = reach * np.sqrt(chi / degrees)
    power = (stats.norm.cdf(errors - limits) + stats.norm.cdf(-errors - limits)).mean()
    assert power == pytest.approx(0.8, abs=2e-3) and errors == pytest.approx(factor, rel=4e-3)


def test_what_rounding_leaves_of_equal_seeds_is_no_luck():
    quiet, noisy = (
        Spread(np.array([4.0]), np.full((1, 1), variance), np.full((1, 1), 2.0))
        for variance in (0.0, 1e-28)
    )
    assert noisy.quantile(0.05) == quiet.quantile(0.05) == pytest.approx(1.959964)
    assert noisy.degrees == quiet.degrees == np.inf


def test_without_seeds_detectable_is_the_sum_of_two_normal_quantiles():
    smallest = detectable(Spread(np.array(4.0), np.zeros(0), np.zeros(0)))
    assert smallest and smallest.value == smallest.low == smallest.high
    assert smallest.value == pytest.approx(2 * (1.959964 + 0.841621), rel=1e-6)


@given(st.floats(-200, 200))
def test_rounding_is_half_even_and_done_once(value):
    assert rounded(rounded(value)) == rounded(value)
    assert abs(rounded(value) - value) <= 0.05 + 1e-9


def test_rounding_at_the_half():
    halves = {0.25: 0.2, 0.35: 0.4, -0.05: 0.0, 6.45: 6.4, 2.25 + 4e-16: 2.2, 99.95: 100.0}
    assert {value: rounded(value) for value in halves} == halves
    assert str(rounded(-0.04)) == "0.0"


@given(st.integers(-2000, 2000), st.integers(1, 3))
def test_rounding_is_that_of_decimal_digits(number, decimals):
    value = number / 2 / 10**decimals
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
    assert rounded(value, decimals) == float(exact)


def test_a_slope_shows_what_its_interval_leaves_out():
    assert slope_text(Estimate(0.04, 0.01, 0.07)) == "+0.04 [+0.01, +0.07]"
    assert slope_text(Estimate(-0.001, -0.21, 0.2)) == "0.00 [−0.21, +0.20]"
    assert slope_text(Estimate(-0.84)) == "−0.84"


def test_what_is_detectable_has_one_digit():
    assert detectable_text(Detectable(4.2, 2.8, 8.4)) == "about 4 (3 to 8)"
    assert detectable_text(Detectable(0.43, 0.31, 0.86)) == "about 0.4 (0.3 to 0.9)"
    assert detectable_text(Detectable(13.1, 13.1, 13.1)) == "about 10"
