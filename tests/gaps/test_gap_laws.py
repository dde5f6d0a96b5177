"""Laws of the intervals."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.gaps.handmade import F1, METRICS, Rows

from xharness.gaps import Items, measure
from xharness.gaps.bootstrap import resampled_sums
from xharness.gaps.intervals import aligned, estimate, from_error, p_value, variances
from xharness.gaps.scores import Score

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
    (found,) = rows.gaps(resamples=200).tasks
    for one in (found.source, found.mean, found.gap, *found.scores.values()):
        assert one and one.low is not None and one.high is not None
        assert one.low <= one.value <= one.high


def test_the_interval_shrinks_with_more_items():
    widths = []
    for items in (50, 500, 5000):
        gap = Rows().arm(answers(1, items, RATES)).gaps().tasks[0].gap
        assert gap and gap.low is not None and gap.high is not None
        widths.append(gap.high - gap.low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


@_quick
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_identical_arms_have_no_change_at_all(seed, seeds):
    same = answers(seed, 40, RATES, seeds)
    rows = Rows().arm(same).arm(same, strategy="multitask")
    change = rows.gaps(resamples=100).change(("m", "multitask"), "nli")
    assert change
    for one in (change.source, change.mean, change.gap):
        assert one and (one.value, one.low, one.high) == (0, 0, 0)


def test_a_change_that_moves_all_languages_alike_leaves_the_gap():
    base = answers(3, 50, RATES)
    better = {one: [[*some, *[1] * 50] for some in by] for one, by in base.items()}
    worse = {one: [[*some, *[0] * 50] for some in by] for one, by in base.items()}
    rows = Rows().arm(worse, parallel=True).arm(better, strategy="multitask", parallel=True)
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.gap and change.mean and change.mean.value == 50
    assert (change.gap.value, change.gap.low, change.gap.high) == (0, 0, 0)


def test_other_arms_do_not_move_an_interval():
    alone = Rows().arm(answers(1, 50, RATES, 2))
    among = Rows().arm(answers(1, 50, RATES, 2)).arm(answers(2, 50, RATES, 2), model="another")
    assert alone.gaps().task(("m", "single"), "nli") == among.gaps().task(("m", "single"), "nli")


def test_neither_the_order_of_rows_nor_of_items_matters():
    straight, shuffled = Rows().arm(answers(1, 50, RATES, 2)), Rows().arm(answers(1, 50, RATES, 2))
    shuffled.rows.reverse()
    for key, one in shuffled.evidence.items():
        shuffled.evidence[key] = Items.of(*key, one.ids[::-1], one.statistics[::-1])
    assert straight.gaps() == shuffled.gaps()


def test_parallel_items_are_drawn_together_and_pairing_narrows_the_gap():
    same = answers(5, 200, {"en": 0.7})["en"]
    apart = Rows().arm({"en": same, "sw": same})
    together = Rows().arm({"en": same, "sw": same}, parallel=True)
    loose, tight = apart.gaps().tasks[0].gap, together.gaps().tasks[0].gap
    assert loose and tight and (tight.low, tight.high) == (0, 0)
    assert loose.low is not None and loose.low < -5


def test_parallel_items_whose_ids_differ_fall_back_and_say_so():
    ids = {"en": [f"en{place}" for place in range(50)], "sw": [f"sw{place}" for place in range(50)]}
    same = answers(5, 50, {"en": 0.7})["en"]
    (found,) = Rows().arm({"en": same, "sw": same}, parallel=True, ids=ids).gaps().tasks
    assert found.gap and found.gap.low is not None and found.gap.low < 0
    assert found.notes == (
        "the items differ between languages: only the same ones are drawn together",
    )


def test_seeds_that_share_a_stage_are_one_result():
    rows = Rows().arm(answers(1, 50, RATES))
    rows.rows += [row.model_copy(update={"seed": 2}) for row in rows.rows]
    assert rows.gaps().tasks[0].notes == ("every seed has the same result: nothing was trained",)


@pytest.mark.parametrize("items", [80, 400])
def test_the_interval_of_a_mean_agrees_with_scipy(items):
    right = answers(9, items, {"en": 0.7, "sw": 0.5})
    (found,) = Rows().arm(right).gaps(resamples=4000).tasks
    sample = 100 * np.array(right["en"][0], dtype=float)
    theirs = stats.bootstrap(
        (sample,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    error = 4 * sample.std() / items**0.5 / 4000**0.5 / 0.37  # of a 2.5% quantile, times four
    assert found.source
    assert found.source.low == pytest.approx(theirs.low, abs=error + 100 / items)
    assert found.source.high == pytest.approx(theirs.high, abs=error + 100 / items)


def test_a_metric_that_is_no_mean_is_scored_from_its_sums():
    counts = np.array([[3, 1, 0], [0, 2, 1], [5, 0, 0], [1, 1, 1]], dtype=float)
    items = {("s", one): Items.of("s", one, list("abcd"), counts) for one in ("en", "sw")}
    value = 100 * float(F1.value(counts.sum(axis=0)))
    facts = {
        "model": "m", "strategy": "single", "seed": 1, "task": "ner", "task_type": "tagging",
        "source_language": "en", "split": "test", "metric": "f1", "main": True, "n": 4,
    }  # fmt: skip
    rows = [Score(language=one, value=value, stage="s", **facts) for one in ("en", "sw")]
    (found,) = measure(rows, items, METRICS, resamples=500).tasks
    assert found.source and found.source.low is not None and found.source.high is not None
    assert found.source.low < value < found.source.high


def test_weights_are_multinomial():
    drawn = resampled_sums(np.eye(7), 20_000, "key")
    assert (drawn.sum(axis=1) == 7).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(7), abs=0.04)
    assert drawn.var(axis=0) == pytest.approx(np.full(7, 6 / 7), abs=0.05)


def test_draws_never_change():
    """A visible difference here means that every board changes: raise it as such."""
    assert resampled_sums(np.eye(4), 2, ["golden"]).tolist() == [
        [0.0, 2.0, 1.0, 1.0],
        [1.0, 1.0, 2.0, 0.0],
    ]


def test_the_variance_is_that_of_the_multi_bootstrap_with_its_seed_part_made_whole():
    chance = np.random.default_rng(3)
    seeds, resamples = 4, 40_000
    curve = chance.normal(0, 2, (1, seeds)) + chance.normal(0, 1, (1 + resamples, 1))
    curve[1:] += chance.normal(0, 0.5, (resamples, seeds))
    drawn = chance.multinomial(seeds, [1 / seeds] * seeds, resamples) / seeds
    items, between = variances(curve)
    theirs = float((curve[1:] * drawn).sum(axis=1).var())
    interaction = 0.5**2 / seeds
    assert items == pytest.approx(1, rel=0.05)
    assert theirs == pytest.approx(
        items + between * (seeds - 1) / seeds + interaction * (2 - 1 / seeds), rel=0.03
    )


@_quick
@given(st.integers(0, 1000), st.integers(2, 5), st.integers(0, 3))
def test_more_seeds_leave_mean_and_variance_of_a_curve(seed, own, more):
    curve = np.random.default_rng(seed).normal(size=(4, own))
    wide = aligned(curve, range(own), range(own + more))
    assert wide.mean(axis=1) == pytest.approx(curve.mean(axis=1))
    assert wide.var(axis=1, ddof=1) / (own + more) == pytest.approx(curve.var(axis=1, ddof=1) / own)


def test_a_p_value_and_its_interval_agree():
    for freedom in (None, 2.0, 7.3):
        for value in (1.0, 1.959, 1.961, 2.3, 2.4, 4.2, 4.4):
            found = from_error(value, 1.0, freedom)
            p = p_value(found)
            assert p is not None and (p < 0.05) == (found.sign != 0)


@pytest.mark.parametrize("share", [1e-6, 0.1, 0.5, 0.9, 1.0])
def test_degrees_of_freedom_lie_between_the_seeds_and_none(share):
    curve = np.zeros((3, 3))
    curve[0] = np.array([-1, 0, 1]) * share**0.5 * 3**0.5  # variance between: share
    away = (1 - share) ** 0.5
    curve[1:] = curve[0] + np.array([[away], [-away]]) / 2**0.5
    found = estimate(curve, ("items", "seeds"), 3)
    assert found.error == pytest.approx(1) and found.freedom is not None
    assert found.freedom >= 2 and (share < 1 or found.freedom == pytest.approx(2))
