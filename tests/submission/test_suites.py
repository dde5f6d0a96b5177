"""Aggregation: against the official evaluator's, written down once more, and its laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xharness.gaps.suites import Benchmark, Variant, aggregate, variants

TASKS = {"a": ("en", "de", "sw"), "b": ("en", "zh"), "c": ("et",)}
FAMILIES = {"first": ("a", "b"), "second": ("c",)}
TINY = Benchmark("tiny", "Tiny", TASKS, FAMILIES)
points = st.floats(0, 100)
whole = st.fixed_dictionaries(
    {task: st.fixed_dictionaries(dict.fromkeys(codes, points)) for task, codes in TASKS.items()}
)
Scores = dict[str, dict[str, float]]


@given(whole)
def test_the_official_aggregation(scores: Scores) -> None:
    averages = {task: sum(found.values()) / len(found) for task, found in scores.items()}
    found = aggregate(TINY, Variant.OFFICIAL, scores)
    assert {one.task: one.value for one in found.tasks} == pytest.approx(averages)
    for family in found.families:
        own = [averages[task] for task in FAMILIES[family.name]]
        assert family.value == pytest.approx(sum(own) / len(own))
    assert found.whole.value == pytest.approx(sum(averages.values()) / 3)


@given(whole, st.floats(0, 1), st.randoms())
def test_scaling_and_order(scores: Scores, factor: float, chance: object) -> None:
    scaled = {
        task: {code: factor * value for code, value in reversed(found.items())}
        for task, found in reversed(scores.items())
    }
    one, other = (aggregate(TINY, Variant.OFFICIAL, some).whole.value for some in (scores, scaled))
    assert one is not None and other == pytest.approx(factor * one)
    every = [value for found in scores.values() for value in found.values()]
    assert min(every) - 1e-9 <= one <= max(every) + 1e-9


@given(whole, st.sampled_from([(task, code) for task in TASKS for code in TASKS[task]]))
def test_what_lacks_a_part_is_undefined_and_the_rest_stays(
    scores: Scores, lacking: tuple[str, str]
) -> None:
    task, code = lacking
    before = aggregate(TINY, Variant.OFFICIAL, scores)
    del scores[task][code]
    after = aggregate(TINY, Variant.OFFICIAL, scores)
    assert after.whole.value is None and after.whole.undefined and task in after.whole.undefined
    for old, new in zip(before.families, after.families, strict=True):
        assert new.value is None if task in new.tasks else new == old


def test_languages_that_the_suite_does_not_ask_for_do_not_count() -> None:
    scores = {"a": {"en": 1.0, "de": 1.0, "sw": 1.0, "fr": 100.0}, "z": {"en": 100.0}}
    found = aggregate(TINY, Variant.OFFICIAL, scores)
    assert found.tasks[0].value == 1.0
    assert found.whole.undefined == "not scored: b, c"


def test_many_missing_languages_are_counted() -> None:
    codes = ("en", "de", "fr", "es", "it", "sw", "th")
    benchmark = Benchmark("one", "One", {"a": codes}, {"all": ("a",)})
    found = aggregate(benchmark, Variant.OFFICIAL, {"a": {"en": 1.0}})
    told = "a lacks 6 of 7 languages: de, fr, es, it and 2 more"
    assert found.whole.undefined == told


def test_variants_differ_for_question_answering_alone() -> None:
    metrics = ("mlqa_mean", "mlqa_exact_match", "mlqa_f1")
    assert Variant.OFFICIAL.metric("extractive_qa", metrics) == "mlqa_mean"
    assert Variant.F1_ONLY.metric("extractive_qa", metrics) == "mlqa_f1"
    assert Variant.F1_ONLY.metric("tagging", ("chunk_f1", "token_accuracy")) == "chunk_f1"
    assert variants(["tagging", "extractive_qa"]) == (Variant.OFFICIAL, Variant.F1_ONLY)
    assert variants(["tagging"]) == (Variant.OFFICIAL,)
