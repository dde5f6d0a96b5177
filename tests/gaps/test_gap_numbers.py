"""Gaps, averages and changes on rows small enough to check by hand."""

from __future__ import annotations

import pytest
from tests.gaps.handmade import Rows, right

from xharness.errors import ConfigurationError


def test_the_gap_is_the_source_score_minus_the_unweighted_mean_of_the_others():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)], "th": [right(60, 100)]})
    (task_gap,) = rows.gaps().tasks
    assert task_gap.source and task_gap.others and task_gap.gap
    assert (task_gap.source.value, task_gap.others.value, task_gap.gap.value) == (90, 55, 35)
    assert task_gap.languages == ("sw", "th")
    assert {breakdown: score.value for breakdown, score in task_gap.scores.items()} == {
        "en": 90, "sw": 50, "th": 60,
    }  # fmt: skip


def test_seeds_are_averaged_first():
    rows = Rows().arm({"en": [right(8, 10), right(10, 10)], "sw": [right(2, 10), right(4, 10)]})
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap and task_gap.gap.value == 60
    assert task_gap.seeds == (1, 2)
    assert task_gap.covers == ("items", "seeds")


def test_one_seed_says_that_only_items_are_counted_in():
    (task_gap,) = Rows().arm({"en": [right(8, 10)], "sw": [right(2, 10)]}).gaps().tasks
    assert task_gap.covers == ("items",)


def test_retention_takes_chance_off():
    rows = Rows().arm({"en": [right(90, 100)], "sw": [right(70, 100)]}, chance=50.0)
    (task_gap,) = rows.gaps().tasks
    assert task_gap.retention and task_gap.retention.value == pytest.approx(0.5)
    assert (
        task_gap.retention.low is not None
        and task_gap.retention.low < 0.5 < task_gap.retention.high
    )


def test_without_a_source_test_set_the_gap_is_undefined_but_the_mean_is_not():
    rows = Rows().arm({"et": [right(6, 10)], "sw": [right(8, 10)]}, source_language=None)
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap is None and task_gap.source is None
    assert task_gap.undefined == "no test set in the source language"
    assert task_gap.others and task_gap.others.value == 70 and task_gap.others.low is not None


def test_a_source_score_that_is_missing_says_why():
    rows = Rows().arm({"sw": [right(6, 10)]}).missing("file gone", language="en")
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap is None and task_gap.undefined == "no score in English: file gone"
    assert task_gap.absent == {"en": "file gone"}


def test_the_source_language_alone_has_no_gap():
    (task_gap,) = Rows().arm({"en": [right(6, 10)]}).gaps().tasks
    assert task_gap.undefined == "no language beside English" and task_gap.others is None


def test_a_task_that_failed_gives_its_reason():
    rows = Rows().missing("loss is not finite").missing("loss is not finite", seed=2)
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap is None and task_gap.undefined == "loss is not finite"


def test_a_seed_without_all_languages_is_left_out():
    rows = Rows().arm({"en": [right(9, 10), right(2, 10)], "sw": [right(5, 10)]})
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap and task_gap.gap.value == 40 and task_gap.seeds == (1,)
    assert task_gap.notes == ("seed 2 left out: not every language has a score",)


def test_a_missing_seed_and_a_missing_language_are_noted():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.missing("killed", seed=2).missing("no such file", language="th")
    (task_gap,) = rows.gaps().tasks
    assert task_gap.notes == ("without seed 2: killed", "without Thai: no such file")


def test_notes_name_their_languages_unless_all_carry_them():
    rows = Rows().arm({"en": [right(9, 10)]}, notes=("limited to 10",))
    rows.arm({"sw": [right(5, 10)]}, notes=("limited to 10", "partial data"))
    assert rows.gaps().tasks[0].notes == ("limited to 10", "partial data (sw)")


def test_rows_of_two_splits_are_never_averaged():
    rows = Rows().arm({"en": [right(9, 10)]}).arm({"sw": [right(5, 10)]}, split="validation")
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap is None and task_gap.others is None
    assert task_gap.undefined == "unlike rows: split test and validation"


def test_two_scores_for_one_cell_are_refused():
    rows = Rows().arm({"en": [right(9, 10)]}).arm({"en": [right(8, 10)]})
    with pytest.raises(ConfigurationError, match=r"two scores for one cell.*en, seed 1"):
        rows.gaps()


def test_evidence_that_contradicts_its_row_is_refused():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, value=12.0)
    with pytest.raises(ConfigurationError, match=r"the evidence gives 90\.0000"):
        rows.gaps()


def test_a_metric_that_nobody_offers_is_named():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, metric="acuracy")
    with pytest.raises(ConfigurationError, match=r"unknown here(.|\n)*did you mean 'accuracy'"):
        rows.gaps()


def test_without_evidence_a_single_seed_has_no_interval():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, evidence=False)
    (task_gap,) = rows.gaps().tasks
    assert task_gap.gap and task_gap.gap.value == 40 and task_gap.gap.low is None
    assert task_gap.notes == ("no per-item evidence: the choice of items is not counted in",)


def test_without_evidence_several_seeds_still_have_one():
    answers = {"en": [right(9, 10), right(8, 10)], "sw": [right(5, 10), right(1, 10)]}
    (task_gap,) = Rows().arm(answers, evidence=False).gaps().tasks
    assert task_gap.covers == ("seeds",) and task_gap.gap and task_gap.gap.value == 55
    assert task_gap.gap.error == pytest.approx(15) and task_gap.gap.low == pytest.approx(
        55 - 12.706 * 15, abs=0.01
    )


def test_changes_are_strategy_minus_baseline():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask")
    gaps = rows.gaps()
    change = gaps.change(("m", "multitask"), "nli")
    assert change and change.source and change.others and change.gap
    assert (change.source.value, change.others.value, change.gap.value) == (-10, 10, -20)
    assert gaps.change(("m", "single"), "nli") is None


def test_a_change_uses_only_the_languages_that_both_have():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)], "th": [right(0, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask")
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.gap and change.gap.value == -20
    assert change.notes == ("compared on 2 languages: all that both have",)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"split": "validation"}, "another split than 'single'"),
        ({"ids": {"sw": list("abcdefghij")}}, "other items than 'single' in Swahili"),
    ],
)
def test_a_change_between_unlike_arms_is_undefined(facts, reason):
    answers = {"en": [right(9, 10)], "sw": [right(5, 10)]}
    rows = Rows().arm(answers).arm(answers, strategy="multitask", **facts)
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.gap is None and change.undefined == reason


def test_without_the_baseline_a_change_is_undefined():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, strategy="multitask")
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.undefined == "there is no 'single' to compare with"


def test_the_change_of_the_mean_survives_an_undefined_gap():
    rows = Rows()
    for strategy, count in (("single", 5), ("multitask", 7)):
        rows.arm({"sw": [right(count, 10)]}, strategy=strategy, source_language=None)
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.others and change.others.value == 20
    assert change.undefined == "no test set in the source language"


def test_a_task_scored_in_other_languages_is_in_no_average():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "th": [right(6, 10)]}, strategy="multitask")
    gaps = rows.gaps()
    average, other_average = gaps.average(("m", "single")), gaps.average(("m", "multitask"))
    assert average and average.tasks == ("nli",)
    assert (
        other_average
        and other_average.gap is None
        and other_average.undefined == "scored in other languages on nli"
    )


def test_a_model_that_failed_everywhere_does_not_empty_the_board():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}).missing("no weights", "broken")
    gaps = rows.gaps()
    good, bad = gaps.average(("m", "single")), gaps.average(("broken", "single"))
    assert good and good.gap and good.gap.value == 40
    assert bad and bad.gap is None and bad.undefined == "no weights"


def test_evidence_of_another_metric_is_refused():
    answers = {"en": [right(9, 10)], "sw": [right(5, 10)]}
    rows = Rows().arm(answers, task_type="tagging", metric="f1")
    with pytest.raises(ConfigurationError, match="has 2 of the 3 statistics of 'f1'"):
        rows.gaps()


def test_the_mean_is_taken_apart_by_family_script_and_pretraining():
    counts = {"en": 90, "de": 80, "ru": 60, "sw": 40, "xx": 10}
    rows = Rows()
    for language, count in counts.items():
        seen = None if language == "xx" else language != "sw"
        rows.arm({language: [right(count, 100)]}, seen=seen)
    (task_gap,) = rows.gaps().tasks
    families = {
        name: (breakdown.languages, breakdown.mean.value)
        for name, breakdown in task_gap.families.items()
    }
    assert families == {"Indo-European": (("de", "ru"), 70), "Niger-Congo": (("sw",), 40)}
    assert {name: breakdown.languages for name, breakdown in task_gap.scripts.items()} == {
        "Cyrl": ("ru",), "Latn": ("de", "sw"),
    }  # fmt: skip
    gaps = {
        name: breakdown.gap.value
        for name, breakdown in task_gap.pretraining.items()
        if breakdown.gap
    }
    assert gaps == {"seen": 20, "unseen": 50}


def test_published_rows_have_their_own_averages():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(5, 10)]}, task="qa")
    published = {"provenance": "published", "source": "a table", "evidence": False}
    rows.arm({"en": [right(9, 10)], "th": [right(7, 10)]}, "theirs", **published)
    gaps = rows.gaps()
    assert [(pool.provenance, pool.tasks) for pool in gaps.pools] == [
        ("measured", ("nli", "qa")), ("published", ("nli",)),
    ]  # fmt: skip
    measured, published_average = gaps.average(("m", "single")), gaps.average(("theirs", "single"))
    assert (
        measured and measured.gap and measured.gap.value == 35 and measured.provenance == "measured"
    )
    assert (
        published_average
        and published_average.gap
        and published_average.gap.value == 20
        and published_average.tasks == ("nli",)
    )


def test_protocols_are_never_averaged_together():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask", protocol="prompt")
    gaps = rows.gaps()
    assert {pool.protocol for pool in gaps.pools} == {"fine-tuned", "prompt"}
    change = gaps.change(("m", "multitask"))
    assert change and change.undefined == "another protocol than 'single'"


def test_another_task_may_lend_its_source_language_score():
    rows = Rows().arm({"sw": [right(6, 10)]}, task="xcopa", source_language=None)
    rows.arm({"en": [right(9, 10)]}, task="copa", split="validation")
    borrowed = rows.gaps(source_score_from={"xcopa": "copa"}).task(("m", "single"), "xcopa")
    assert borrowed and borrowed.gap and borrowed.gap.value == 30
    assert borrowed.notes == ("English is the validation split of copa (en)",)
    unborrowed = rows.gaps().task(("m", "single"), "xcopa")
    assert unborrowed and unborrowed.undefined == "no test set in the source language"


def test_rows_name_their_lender_and_a_study_comes_over_them():
    rows = Rows().arm(
        {"sw": [right(6, 10)]}, task="xcopa", source_language=None, source_score_from="copa"
    )
    rows.arm({"en": [right(9, 10)]}, task="copa")
    rows.arm({"sw": [right(6, 10)]}, "older", task="xcopa", source_language=None)
    gaps = rows.gaps()
    assert {gap.task for gap in gaps.tasks} == {"xcopa"}
    borrowed, older = (gaps.task((model, "single"), "xcopa") for model in ("m", "older"))
    assert borrowed and borrowed.gap and borrowed.gap.value == 30
    assert older and older.undefined == "no score in English: not in the rows"
    unborrowed = rows.gaps(source_score_from={"xcopa": None})
    assert {gap.task for gap in unborrowed.tasks} == {"copa", "xcopa"}
    assert all(gap.gap is None for gap in unborrowed.tasks)


def test_a_reference_that_an_arm_lacks_is_told():
    rows = Rows().arm({"sw": [right(6, 10)]}, task="xcopa", source_language=None)
    rows.arm({"en": [right(9, 10)]}, "other", task="copa")
    task_gap = rows.gaps(source_score_from={"xcopa": "copa"}).task(("m", "single"), "xcopa")
    assert task_gap and task_gap.undefined == "no score in English: not in the rows"


@pytest.mark.parametrize("count", [0, 1, 99, 100])
def test_no_score_leaves_its_range_and_no_interval_is_a_point(count):
    answers = {"en": [right(count, 100)], "sw": [right(count, 100)], "th": [right(count, 100)]}
    (task_gap,) = Rows().arm(answers).gaps().tasks
    for score in (task_gap.source, task_gap.others, *task_gap.scores.values()):
        assert score and score.low is not None and score.high is not None
        assert 0 <= score.low <= score.value <= score.high <= 100 and score.high - score.low > 1
    assert task_gap.gap and task_gap.gap.low is not None and task_gap.gap.low < 0


def test_the_worst_language_is_named():
    rows = Rows().arm({"en": [right(80, 100)], "sw": [right(60, 100)], "th": [right(40, 100)]})
    assert rows.gaps().tasks[0].worst == "th"


def test_a_change_needs_no_seed_in_common():
    base = {"en": [right(9, 10), right(7, 10)], "sw": [right(5, 10), right(5, 10)]}
    rows = Rows().arm(base).arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask",
                                seeds=[7])  # fmt: skip
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.gap and change.gap.value == pytest.approx(-10)
    assert (change.seeds, change.baseline_seeds) == ((7,), (1, 2))
    assert change.covers == ("items",)


def test_an_arm_that_lacks_a_task_is_left_out_and_the_task_stays():
    rows = Rows()
    for strategy, swahili in (("single", 5), ("multitask", 7)):
        rows.arm({"en": [right(9, 10)], "sw": [right(swahili, 10)]}, strategy=strategy)
        rows.arm({"en": [right(8, 10)], "sw": [right(2, 10)]}, strategy=strategy, task="qa")
        rows.arm({"sw": [right(2, 10)]}, strategy=strategy, task="copa", source_language=None)
        rows.arm({"en": [right(9, 10)], "sw": [right(1, 10)]}, strategy=strategy, task="ner")
    rows.arm({"en": [right(9, 10)], "sw": [right(1, 10)]}, strategy="broken")
    rows.missing("out of memory", strategy="broken", task="ner")
    gaps = rows.gaps()
    (pool,) = gaps.pools
    assert pool.tasks == ("ner", "nli", "qa") and pool.sourceless == ("copa",)
    assert pool.left_out == {"copa": "no test set in the source language"}
    broken, change = gaps.average(("m", "broken")), gaps.change(("m", "broken"))
    assert broken and broken.undefined == "no gap on ner, qa"
    assert change and change.undefined == "no gap on ner, qa" and not change.reads_as
    change = gaps.change(("m", "multitask"))
    assert change and change.gap and change.gap.value == pytest.approx(-20 / 3)


def test_a_task_that_most_baselines_have_not_leaves_the_pool():
    rows = Rows()
    for model in "abc":
        rows.arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, model)
        rows.arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, model, task="qa")
    rows.arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, "a", task="ner")
    gaps = rows.gaps()
    assert gaps.pools[0].tasks == ("nli", "qa")
    assert gaps.pools[0].left_out == {"ner": "no gap of single of 2 of 3 models (b, c)"}


def test_tasks_without_a_source_score_have_their_own_change():
    rows = Rows()
    for strategy, count in (("single", 50), ("multitask", 70)):
        rows.arm({"en": [right(90, 100)], "sw": [right(count, 100)]}, strategy=strategy)
        rows.arm({"sw": [right(count, 100)]}, strategy=strategy, task="x", source_language=None)
        rows.arm({"th": [right(50, 100)]}, strategy=strategy, task="y", source_language=None)
    (change,) = rows.gaps().sourceless_changes
    assert change.others and change.others.value == pytest.approx(10) and change.gap is None
    assert change.others.low is not None and change.tasks == ("x", "y")
    assert change.verdict is None


def test_retention_of_an_average_is_that_of_the_averaged_scores():
    rows = Rows()
    for task, counts in (("nli", (90, 70)), ("qa", (80, 60))):
        rows.arm({"en": [right(counts[0], 100)], "sw": [right(counts[1], 100)]}, task=task,
                 floor=50.0)  # fmt: skip
    average = rows.gaps().average(("m", "single"))
    assert (
        average
        and average.retention
        and average.retention.value == pytest.approx((65 - 50) / (85 - 50))
    )


def test_nothing_at_all_is_a_board_too():
    gaps = Rows().gaps()
    assert gaps.tasks == gaps.averages == gaps.pools == gaps.headlines == gaps.trends == ()
    assert (gaps.tests.words, gaps.tests.headlines, gaps.tests.sizes) == (0, 0, 0)


@pytest.mark.parametrize("seeds", [1, 3])
def test_equal_answers_in_all_languages_leave_a_gap_in_doubt(seeds):
    """Every parallel item is right everywhere or nowhere, so no item moves the gap at all."""
    rows = Rows()
    for strategy, count in (("single", 40), ("multitask", 60)):
        same = {code: [right(count, 120)] * seeds for code in ("en", "de", "sw")}
        rows.arm(same, strategy=strategy, parallel=True)
    gaps = rows.gaps()
    for estimate in (*(gap.gap for gap in gaps.tasks), gaps.changes[0].gap):
        assert estimate and estimate.value == 0 and estimate.low is not None
        assert estimate.low < -2 and estimate.high == -estimate.low
