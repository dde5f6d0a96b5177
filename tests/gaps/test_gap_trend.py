"""Gap against model size."""

from __future__ import annotations

import numpy as np
import pytest
from tests.gaps.handmade import Rows

from xharness.gaps import slopes
from xharness.gaps.curves import Curves
from xharness.gaps.slopes import Sized

SIZES = (10, 20, 40, 80, 160)  # millions
OTHERS = ("sw", "th", "de")


def _study(sizes=SIZES, slope=0.0, seeds=2, items=150, families=None):
    """Models whose gap under multitask moves by `slope` points for each doubling."""
    chance = np.random.default_rng(5)
    rows = Rows()
    for place, size in enumerate(sizes):
        for strategy in ("single", "multitask"):
            for task in ("nli", "qa"):
                helped = -slope / 100 * np.log2(size / sizes[0]) * (strategy == "multitask")
                rates = {"en": 0.9, **dict.fromkeys(OTHERS, 0.6 + helped)}
                answers = {
                    one: [list((chance.random(items) < rate).astype(int)) for _ in range(seeds)]
                    for one, rate in rates.items()
                }
                rows.arm(
                    answers, f"m{place}", strategy, task, family=(families or {}).get(place),
                    parameters=size * 10**6 + 10**8, embedding_parameters=10**8,
                )  # fmt: skip
    return rows.gaps(resamples=200)


def _trend(gaps, of="change", strategy="multitask", axis="non-embedding", family=None):
    wanted = (of, strategy, axis, family)
    (found,) = [
        one for one in gaps.trends if (one.of, one.strategy, one.axis, one.family) == wanted
    ]
    return found


def test_a_gap_that_narrows_with_size_is_found_and_said():
    found = _trend(_study(slope=-6.0, seeds=3))
    assert found.slope and found.slope.low is not None and found.slope.high is not None
    assert found.slope.low < -6 < found.slope.high < 0
    assert found.check and found.check.value == pytest.approx(found.slope.value, abs=0.3)
    assert found.check.sign == -1
    assert found.answer.startswith(
        "Over 5 models (m0 to m4, 4.0 doublings of the parameters outside the embedding) and "
        "2 tasks, each doubling changes the gap of multitask minus that of single by −"
    )
    assert found.answer.endswith("the narrower the gap of multitask beside the other.")
    assert [one.parameters for one in found.points] == [size * 10**6 for size in SIZES]


def test_no_effect_is_no_answer():
    found = _trend(_study())
    assert found.slope and found.slope.sign == 0
    assert found.answer.endswith("whether it moves with size, the data can't tell.")


def test_two_sizes_are_no_trend():
    found = _trend(_study(sizes=(10, 20)))
    assert found.slope is None
    assert found.undefined == "a slope with an interval needs 3 sizes, there are 2"
    assert "the data can't tell: a slope with an interval needs 3 sizes" in found.answer


def test_the_second_axis_is_all_parameters():
    found = _trend(_study(sizes=(10, 20, 40)), axis="total")
    assert [one.parameters for one in found.points] == [110 * 10**6, 120 * 10**6, 140 * 10**6]
    assert "doublings of the parameters)" in found.answer


def test_families_have_their_own_trend():
    gaps = _study(families={0: "mini", 1: "mini", 2: "mini", 3: "other"}, seeds=1)
    assert {one.family for one in gaps.trends} == {None, "mini"}
    found = _trend(gaps, family="mini")
    assert [one.model for one in found.points] == ["m0", "m1", "m2"]
    assert found.answer.startswith("Over 3 models of mini (m0 to m2,")
    assert found.notes == ()
    assert "pretraining data" in _trend(gaps).notes[-1]


def test_models_of_unknown_size_have_no_part():
    rows = Rows().arm({"en": [[1, 1, 1, 0]], "sw": [[1, 0, 0, 0]]})
    (first, second) = rows.gaps().trends
    assert first.points == () and first.answer.startswith("Over no model of known size")
    assert (first.of, first.axis, second.axis) == ("gap", "non-embedding", "total")


def _made(chance, slope, between):
    """Five models with the same languages and tasks, each shifted by its own."""
    language, task = chance.normal(0, 3, 6), chance.normal(0, 3, 3)
    models = []
    for place, size in enumerate(SIZES):
        shift = slope * np.log2(size) + chance.normal(0, between)
        cells = {
            (f"t{one}", f"l{two}"): shift + task[one] + language[two] + chance.normal()
            for one in range(3)
            for two in range(6)
        }
        models.append(Sized(f"m{place}", size, Curves(), cells))
    return models


def test_a_slope_agrees_with_least_squares_on_a_balanced_study():
    models = _made(np.random.default_rng(1), 2.0, 0.5)
    means = [np.mean(list(one.cells.values())) for one in models]
    expected = np.polyfit(np.log2(SIZES), means, 1)[0]
    found = slopes.mixed(models)
    assert found and found.value == pytest.approx(expected, abs=2e-3) and found.freedom == 3


def test_differences_between_models_widen_the_slope_as_they_should():
    chance, held = np.random.default_rng(2), 0
    for _ in range(40):
        found = slopes.mixed(_made(chance, 1.0, 1.0))
        assert found and found.low is not None and found.high is not None
        held += found.low <= 1.0 <= found.high
    assert 35 <= held <= 40
