"""Does size move the gap? Within families, in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.gaps.handmade import Rows

from xharness.gaps.slopes import within_families

SIZES = (10, 20, 40, 80, 160)  # millions
FAMILY = dict.fromkeys(range(len(SIZES)), "mini")


def _study(sizes=SIZES, slope=0.0, seeds=2, items=150, families=FAMILY, source=0.9):
    """Models whose gap under multitask moves by `slope` points for each doubling."""
    rng = np.random.default_rng(5)
    rows = Rows()
    for model, size in enumerate(sizes):
        for strategy in ("single", "multitask"):
            for task in ("nli", "qa"):
                helped = -slope / 100 * np.log2(size / sizes[0]) * (strategy == "multitask")
                rates = {"en": source, **dict.fromkeys(("sw", "th", "de"), 0.6 + helped)}
                answers = {
                    code: [list((rng.random(items) < rate).astype(int)) for _ in range(seeds)]
                    for code, rate in rates.items()
                }
                rows.arm(
                    answers, f"m{model}", strategy, task, family=families.get(model),
                    parameters=size * 10**6 + 10**8, embedding_parameters=10**8,
                )  # fmt: skip
    return rows.gaps()


def _trend(gaps, of="change", strategy="multitask", axis="non-embedding"):
    (trend,) = [
        candidate
        for candidate in gaps.trends
        if (candidate.of, candidate.strategy, candidate.axis) == (of, strategy, axis)
    ]
    return trend


def test_a_gap_that_narrows_with_size_is_found_and_said():
    gaps = _study(slope=-6.0, seeds=3)
    trend = _trend(gaps)
    assert trend.slope and trend.slope.low is not None and trend.slope.high is not None
    assert trend.slope.low < -6 < trend.slope.high < 0
    assert trend.word == "narrower" and trend.adjusted == trend.slope.p and gaps.tests.sizes == 1
    assert trend.answer.startswith(
        "Within mini (5 models, 4.0 doublings of the parameters outside the embedding) and over "
        "2 tasks, each doubling changes the gap of multitask minus that of single by −"
    )
    assert trend.answer.endswith("the narrower the gap of multitask beside the other.")
    assert [point.parameters for point in trend.points] == [size * 10**6 for size in SIZES]


def test_no_effect_is_open():
    trend = _trend(_study())
    assert trend.word == "open" and trend.answer.endswith("whether it moves with size is open.")


def test_two_sizes_have_a_slope_without_interval_and_no_word():
    trend = _trend(_study(sizes=(10, 20)))
    assert trend.slope is None and trend.word is None
    assert "a slope with an interval needs three sizes of a family" in trend.answer
    assert trend.families[0].slope is not None and trend.families[0].slope.low is None


def test_three_sizes_of_one_family_have_an_interval_and_no_word():
    trend = _trend(_study(sizes=(10, 20, 40)))
    assert trend.slope and trend.slope.low is not None and trend.word is None


def test_the_second_axis_is_all_parameters_and_carries_no_word():
    trend = _trend(_study(sizes=(10, 20, 40, 80)), axis="total")
    assert [point.parameters for point in trend.points] == [
        number * 10**6 for number in (110, 120, 140, 180)
    ]
    assert "doublings of the parameters)" in trend.answer and trend.word is None


def test_a_model_alone_in_its_family_adds_nothing_and_is_named():
    families = {0: "mini", 1: "mini", 2: "mini", 3: "mini", 4: "other"}
    trend, fewer_models = _trend(_study(families=families)), _trend(_study(sizes=SIZES[:4]))
    assert trend.alone == ("m4",) and trend.slope == fewer_models.slope
    assert trend.notes[0] == "alone in their family, so no part of a slope: m4"


def test_each_familys_slope_stands_beside_the_common_one():
    families = {0: "a", 1: "a", 2: "b", 3: "b", 4: "b"}
    trend = _trend(_study(families=families))
    assert [(candidate.family, candidate.models) for candidate in trend.families] == [
        ("a", ("m0", "m1")), ("b", ("m2", "m3", "m4")),
    ]  # fmt: skip
    assert trend.notes[-1].startswith("family by family: a ")


def test_models_of_unknown_size_have_no_part():
    rows = Rows().arm({"en": [[1, 1, 1, 0] * 9]}).arm({"sw": [[1, 0, 0, 0] * 9]})
    (first, second) = rows.gaps().trends
    assert first.points == () and first.answer.startswith("Over 0 models of known size")
    assert (first.of, first.axis, second.axis) == ("gap", "non-embedding", "total")


def test_one_familys_slope_is_least_squares():
    rng = np.random.default_rng(1)
    sizes, values = np.log2(SIZES), rng.normal(0, 1, 5)
    expected = stats.linregress(sizes, values)
    trend = within_families(sizes, values, np.zeros(5), ["f"] * 5)
    assert trend and trend.value == pytest.approx(expected.slope)
    assert trend.error == pytest.approx(expected.stderr)
    assert trend.p == pytest.approx(expected.pvalue)


def test_a_slope_is_never_surer_than_its_points():
    sizes = np.arange(6.0)
    on_a_line = within_families(sizes, 2 * sizes, np.full(6, 1.0), ["f"] * 6)
    assert on_a_line and on_a_line.value == pytest.approx(2)
    assert on_a_line.error == pytest.approx((1 / 17.5) ** 0.5)


def test_levels_of_families_do_not_matter():
    rng = np.random.default_rng(2)
    sizes, values = np.tile(np.arange(4.0), 2), rng.normal(0, 1, 8)
    names = ["a"] * 4 + ["b"] * 4
    trend = within_families(sizes, values, np.zeros(8), names)
    moved = within_families(
        sizes + np.repeat([0, 7], 4), values + np.repeat([0, 50], 4), np.zeros(8), names
    )
    assert trend and moved and moved.value == pytest.approx(trend.value)
    assert moved.error == pytest.approx(trend.error)
