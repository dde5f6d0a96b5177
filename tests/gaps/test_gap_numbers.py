"""Gaps, averages and changes on rows small enough to check by hand."""

from __future__ import annotations

import pytest
from tests.gaps.handmade import Rows, right

from xharness.errors import ConfigurationError


def test_the_gap_is_the_source_score_minus_the_unweighted_mean_of_the_others():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)], "th": [right(60, 100)]})
    (found,) = rows.gaps().tasks
    assert found.source and found.mean and found.gap
    assert (found.source.value, found.mean.value, found.gap.value) == (90, 55, 35)
    assert found.languages == ("sw", "th")
    assert {one: score.value for one, score in found.scores.items()} == {
        "en": 90, "sw": 50, "th": 60,
    }  # fmt: skip


def test_seeds_are_averaged_first():
    rows = Rows().arm({"en": [right(8, 10), right(10, 10)], "sw": [right(2, 10), right(4, 10)]})
    (found,) = rows.gaps().tasks
    assert found.gap and found.gap.value == 60
    assert found.seeds == (1, 2)
    assert found.over == ("items", "seeds")


def test_one_seed_says_that_only_items_are_resampled():
    (found,) = Rows().arm({"en": [right(8, 10)], "sw": [right(2, 10)]}).gaps().tasks
    assert found.over == ("items",)


def test_retention_takes_chance_off():
    rows = Rows().arm({"en": [right(90, 100)], "sw": [right(70, 100)]}, chance=50.0)
    (found,) = rows.gaps().tasks
    assert found.retention and found.retention.value == pytest.approx(0.5)
    assert found.retention.low is not None and found.retention.low < 0.5 < found.retention.high


def test_near_chance_is_marked_and_has_no_retention():
    rows = Rows().arm({"en": [right(54, 100)], "sw": [right(52, 100)]}, chance=50.0)
    (found,) = rows.gaps().tasks
    assert found.near_chance and found.retention is None


def test_a_gap_between_zeros_is_no_narrow_gap():
    rows = Rows().arm({"en": [right(0, 100)], "sw": [right(0, 100)]}, chance=None)
    assert rows.gaps().tasks[0].near_chance


def test_a_wide_interval_that_reaches_chance_is_near_chance_too():
    rows = Rows().arm({"en": [right(7, 10)], "sw": [right(5, 10)]}, chance=50.0)
    assert rows.gaps().tasks[0].near_chance


def test_without_a_source_test_set_the_gap_is_undefined_but_the_mean_is_not():
    rows = Rows().arm({"et": [right(6, 10)], "sw": [right(8, 10)]}, source_language=None)
    (found,) = rows.gaps().tasks
    assert found.gap is None and found.source is None
    assert found.undefined == "no test set in the source language"
    assert found.mean and found.mean.value == 70 and found.mean.low is not None


def test_a_source_score_that_is_missing_says_why():
    rows = Rows().arm({"sw": [right(6, 10)]}).missing("file gone", language="en")
    (found,) = rows.gaps().tasks
    assert found.gap is None and found.undefined == "no score in English: file gone"
    assert found.absent == {"en": "file gone"}


def test_the_source_language_alone_has_no_gap():
    (found,) = Rows().arm({"en": [right(6, 10)]}).gaps().tasks
    assert found.undefined == "no language beside English" and found.mean is None


def test_a_task_that_failed_gives_its_reason():
    rows = Rows().missing("loss is not finite").missing("loss is not finite", seed=2)
    (found,) = rows.gaps().tasks
    assert found.gap is None and found.undefined == "loss is not finite"


def test_a_seed_without_all_languages_is_left_out():
    rows = Rows().arm({"en": [right(9, 10), right(2, 10)], "sw": [right(5, 10)]})
    (found,) = rows.gaps().tasks
    assert found.gap and found.gap.value == 40 and found.seeds == (1,)
    assert found.notes == ("seed 2 left out: not every language has a score",)


def test_a_missing_seed_and_a_missing_language_are_noted():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.missing("killed", seed=2).missing("no such file", language="th")
    (found,) = rows.gaps().tasks
    assert found.notes == ("without seed 2: killed", "without Thai: no such file")


def test_notes_name_their_languages_unless_all_carry_them():
    rows = Rows().arm({"en": [right(9, 10)]}, notes=("limited to 10",))
    rows.arm({"sw": [right(5, 10)]}, notes=("limited to 10", "partial data"))
    assert rows.gaps().tasks[0].notes == ("limited to 10", "partial data (sw)")


def test_rows_of_two_splits_are_never_averaged():
    rows = Rows().arm({"en": [right(9, 10)]}).arm({"sw": [right(5, 10)]}, split="validation")
    (found,) = rows.gaps().tasks
    assert found.gap is None and found.mean is None
    assert found.undefined == "unlike rows: split test and validation"


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
    (found,) = rows.gaps().tasks
    assert found.gap and found.gap.value == 40 and found.gap.low is None
    assert found.notes == ("no per-item evidence: items are not resampled",)


def test_without_evidence_several_seeds_still_have_one():
    answers = {"en": [right(9, 10), right(8, 10)], "sw": [right(5, 10), right(1, 10)]}
    (found,) = Rows().arm(answers, evidence=False).gaps().tasks
    assert found.over == ("seeds",) and found.gap
    assert found.gap.value == 55 and found.gap.freedom == pytest.approx(1)
    assert found.gap.error == pytest.approx(15) and found.gap.low == pytest.approx(
        55 - 12.706 * 15, abs=0.01
    )


def test_changes_are_strategy_minus_baseline():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask")
    gaps = rows.gaps()
    change = gaps.change(("m", "multitask"), "nli")
    assert change and change.source and change.mean and change.gap
    assert (change.source.value, change.mean.value, change.gap.value) == (-10, 10, -20)
    assert gaps.change(("m", "single"), "nli") is None


def test_a_change_uses_only_the_seeds_that_both_have():
    rows = Rows().arm({"en": [right(9, 10), right(1, 10)], "sw": [right(5, 10), right(1, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask")
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.gap and change.gap.value == -20 and change.seeds == (1,)
    assert change.notes == ("compared on seed 1: all that both have",)


def test_a_change_uses_only_the_languages_that_both_have():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)], "th": [right(0, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask")
    change = rows.gaps().change(("m", "multitask"), "nli")
    assert change and change.gap and change.gap.value == -20
    assert change.notes == ("compared on 2 languages: all that both have",)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"seeds": [7]}, "no seed in common with 'single'"),
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
    assert change and change.mean and change.mean.value == 20
    assert change.undefined == "no test set in the source language"


def test_averages_take_only_tasks_that_every_arm_has():
    rows = Rows()
    for strategy, swahili in (("single", 5), ("multitask", 7)):
        rows.arm({"en": [right(9, 10)], "sw": [right(swahili, 10)]}, strategy=strategy)
        rows.arm({"en": [right(8, 10)], "sw": [right(2, 10)]}, strategy=strategy, task="qa")
        rows.arm({"sw": [right(2, 10)]}, strategy=strategy, task="copa", source_language=None)
    rows.arm({"en": [right(9, 10)], "sw": [right(1, 10)]}, task="ner")
    rows.missing("out of memory", strategy="multitask", task="ner")
    gaps = rows.gaps()
    own, change = gaps.average(("m", "multitask")), gaps.change(("m", "multitask"))
    assert own and own.gap and own.tasks == ("nli", "qa") and own.gap.value == 40
    assert change and change.gap and change.gap.value == -10
    assert gaps.pools[0].left_out == {
        "copa": "no test set in the source language",
        "ner": "no gap in 1 of 2 arms (m × multitask: out of memory)",
    }


def test_a_task_scored_in_other_languages_is_in_no_average():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "th": [right(6, 10)]}, strategy="multitask")
    gaps = rows.gaps()
    own, other = gaps.average(("m", "single")), gaps.average(("m", "multitask"))
    assert own and own.tasks == ("nli",)
    assert other and other.gap is None and other.undefined == "scored in other languages on nli"


def test_a_strategy_that_few_tasks_can_have_empties_no_board():
    rows = Rows()
    for task in ("nli", "ner", "qa"):
        for strategy in ("single", "multitask"):
            rows.arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, task=task, strategy=strategy)
    rows.arm({"en": [right(9, 10)], "sw": [right(8, 10)]}, task="ner", strategy="few-shot")
    gaps = rows.gaps()
    assert gaps.pools[0].tasks == ("ner", "nli", "qa")
    few = gaps.average(("m", "few-shot"))
    assert few and few.gap is None and few.undefined == "no gap on nli, qa"
    change = gaps.change(("m", "few-shot"), "ner")
    assert change and change.gap and round(change.gap.value) == -30


def test_where_most_arms_have_little_nothing_is_averaged():
    rows = Rows()
    for task in ("nli", "ner", "qa", "pos"):
        rows.arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, task=task, model="whole")
        rows.arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, task=task, model=f"only-{task}")
    assert rows.gaps().pools[0].tasks == ()


def test_a_model_that_failed_everywhere_does_not_empty_the_board():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}).missing("no weights", "broken")
    gaps = rows.gaps()
    good, bad = gaps.average(("m", "single")), gaps.average(("broken", "single"))
    assert good and good.gap and good.gap.value == 40
    assert bad and bad.gap is None and bad.undefined == "no weights"


def test_evidence_of_another_metric_is_refused():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]}, kind="tagging", metric="f1")
    with pytest.raises(ConfigurationError, match="has 2 of the 3 statistics of 'f1'"):
        rows.gaps()


def test_relative_gap_and_worst_language():
    rows = Rows().arm({"en": [right(80, 100)], "sw": [right(60, 100)], "th": [right(40, 100)]})
    (found,) = rows.gaps().tasks
    assert found.relative and found.relative.value == pytest.approx(30 / 80)
    assert found.worst == "th"


def test_the_mean_is_taken_apart_by_family_script_and_pretraining():
    counts = {"en": 90, "de": 80, "ru": 60, "sw": 40, "xx": 10}
    rows = Rows()
    for language, count in counts.items():
        seen = None if language == "xx" else language != "sw"
        rows.arm({language: [right(count, 100)]}, seen=seen)
    (found,) = rows.gaps().tasks
    families = {name: (one.languages, one.mean.value) for name, one in found.families.items()}
    assert families == {"Indo-European": (("de", "ru"), 70), "Niger-Congo": (("sw",), 40)}
    assert {name: one.languages for name, one in found.scripts.items()} == {
        "Cyrl": ("ru",), "Latn": ("de", "sw"),
    }  # fmt: skip
    gaps = {name: one.gap.value for name, one in found.pretraining.items() if one.gap}
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
    ours, theirs = gaps.average(("m", "single")), gaps.average(("theirs", "single"))
    assert ours and ours.gap and ours.gap.value == 35 and ours.provenance == "measured"
    assert theirs and theirs.gap and theirs.gap.value == 20 and theirs.tasks == ("nli",)


def test_protocols_are_never_averaged_together():
    rows = Rows().arm({"en": [right(9, 10)], "sw": [right(5, 10)]})
    rows.arm({"en": [right(8, 10)], "sw": [right(6, 10)]}, strategy="multitask", protocol="prompt")
    gaps = rows.gaps()
    assert {pool.protocol for pool in gaps.pools} == {"fine-tuned", "prompt"}
    change = gaps.change(("m", "multitask"))
    assert change and change.undefined == "nli: another protocol than 'single'"


def test_another_task_may_lend_its_source_language_score():
    rows = Rows().arm({"sw": [right(6, 10)]}, task="xcopa", source_language=None)
    rows.arm({"en": [right(9, 10)]}, task="copa", split="validation")
    lent = rows.gaps(references={"xcopa": "copa"}).task(("m", "single"), "xcopa")
    assert lent and lent.gap and lent.gap.value == 30
    assert lent.notes == ("English is the validation split of copa (en)",)
    alone = rows.gaps().task(("m", "single"), "xcopa")
    assert alone and alone.undefined == "no test set in the source language"


def test_a_reference_that_an_arm_lacks_is_told():
    rows = Rows().arm({"sw": [right(6, 10)]}, task="xcopa", source_language=None)
    rows.arm({"en": [right(9, 10)]}, "other", task="copa")
    found = rows.gaps(references={"xcopa": "copa"}).task(("m", "single"), "xcopa")
    assert found and found.undefined == "no score in English: not in the rows"


def test_the_smallest_detectable_difference_has_its_power():
    answers = {"en": [right(80, 100)], "sw": [right(60, 100)]}
    (found,) = Rows().arm(answers).gaps().tasks
    assert found.gap and found.gap.error and found.gap.detectable
    assert found.gap.detectable == pytest.approx((1.959964 + 0.841621) * found.gap.error, rel=1e-5)
    assert found.gap.high == pytest.approx(20 + 1.959964 * found.gap.error, abs=1e-5)


def test_no_score_leaves_its_range():
    (found,) = Rows().arm({"en": [right(99, 100)], "sw": [right(1, 100)]}).gaps().tasks
    assert found.source and found.mean and (found.source.high, found.mean.low) == (100, 0)
