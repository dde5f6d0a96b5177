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
complete_scores = st.fixed_dictionaries(
    {task: st.fixed_dictionaries(dict.fromkeys(codes, points)) for task, codes in TASKS.items()}
)
Scores = dict[str, dict[str, float]]


@given(complete_scores)
def test_the_official_aggregation(scores: Scores) -> None:
    averages = {task: sum(score_of.values()) / len(score_of) for task, score_of in scores.items()}
    score_of = aggregate(TINY, Variant.OFFICIAL, scores)
    assert {value.task: value.value for value in score_of.tasks} == pytest.approx(averages)
    for family in score_of.families:
        members = [averages[task] for task in FAMILIES[family.name]]
        assert family.value == pytest.approx(sum(members) / len(members))
    assert score_of.whole.value == pytest.approx(sum(averages.values()) / 3)


@given(complete_scores, st.floats(0, 1), st.randoms())
def test_scaling_and_order(scores: Scores, factor: float, chance: object) -> None:
    scaled = {
        task: {code: factor * value for code, value in reversed(score_of.items())}
        for task, score_of in reversed(scores.items())
    }
    value, scaled_value = (
        aggregate(TINY, Variant.OFFICIAL, task_scores).whole.value
        for task_scores in (scores, scaled)
    )
    assert value is not None and scaled_value == pytest.approx(factor * value)
    all_values = [value for score_of in scores.values() for value in score_of.values()]
    assert min(all_values) - 1e-9 <= value <= max(all_values) + 1e-9


@given(complete_scores, st.sampled_from([(task, code) for task in TASKS for code in TASKS[task]]))
def test_what_lacks_a_part_is_undefined_and_the_rest_stays(
    scores: Scores, gap: tuple[str, str]
) -> None:
    task, code = gap
    complete = aggregate(TINY, Variant.OFFICIAL, scores)
    del scores[task][code]
    incomplete = aggregate(TINY, Variant.OFFICIAL, scores)
    assert (
        incomplete.whole.value is None
        and incomplete.whole.undefined
        and task in incomplete.whole.undefined
    )
    for old, new in zip(complete.families, incomplete.families, strict=True):
        assert new.value is None if task in new.tasks else new == old


def test_languages_that_the_suite_does_not_ask_for_do_not_count() -> None:
    scores = {"a": {"en": 1.0, "de": 1.0, "sw": 1.0, "fr": 100.0}, "z": {"en": 100.0}}
    score_of = aggregate(TINY, Variant.OFFICIAL, scores)
    assert score_of.tasks[0].value == 1.0
    assert score_of.whole.undefined == "not scored: b and c"


def test_many_missing_languages_are_counted() -> None:
    codes = ("en", "de", "fr", "es", "it", "sw", "th")
    benchmark = Benchmark("one", "One", {"a": codes}, {"all": ("a",)})
    score_of = aggregate(benchmark, Variant.OFFICIAL, {"a": {"en": 1.0}})
    reason = "a lacks 6 of 7 languages: de, fr, es, it and 2 more"
    assert score_of.whole.undefined == reason


def test_variants_differ_for_question_answering_alone() -> None:
    metrics = ("mlqa_mean", "mlqa_exact_match", "mlqa_f1")
    assert Variant.OFFICIAL.metric("extractive_qa", metrics) == "mlqa_mean"
    assert Variant.F1_ONLY.metric("extractive_qa", metrics) == "mlqa_f1"
    assert Variant.F1_ONLY.metric("tagging", ("chunk_f1", "token_accuracy")) == "chunk_f1"
    assert variants(["tagging", "extractive_qa"]) == (Variant.OFFICIAL, Variant.F1_ONLY)
    assert variants(["tagging"]) == (Variant.OFFICIAL,)
