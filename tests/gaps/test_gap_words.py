"""Which words a board may say: statuses, the decision table, headlines, learning."""

from __future__ import annotations

from itertools import product

import pytest
from tests.gaps.handmade import Rows, right
from tests.gaps.test_gap_laws import answers

from xharness.gaps import Verdict
from xharness.gaps.verdicts import Findings, asks_source, decide

GOOD = {"en": 0.9, "sw": 0.6, "th": 0.6}
BETTER = {"en": 0.9, "sw": 0.8, "th": 0.8}


def _study(arms, models=("m",), seeds=3, items=400, **facts):
    """Arms by strategy to the rates of their answers; some facts by strategy."""
    rows = Rows()
    for arm_index, (model, (strategy, rates)) in enumerate(product(models, arms.items())):
        arm_facts = {name: value[strategy] for name, value in facts.items() if strategy in value}
        seed_count = arm_facts.pop("count", seeds)
        rows.arm(answers(arm_index * 17, items, rates, seed_count), model, strategy, **arm_facts)
    return rows.gaps()


def _change(gaps, strategy="multitask", model="m"):
    change = gaps.change((model, strategy))
    assert change
    return change


def test_what_narrows_is_said_with_its_reason():
    gaps = _study({"single": GOOD, "multitask": BETTER}, models="ab")
    for model in "ab":
        change = _change(gaps, model=model)
        assert change.verdict is Verdict.NARROWS_OTHERS_GAIN
        assert change.reads_as == "narrows, others gain" and change.adjusted.keys() == {
            "gap",
            "others",
        }
    assert (gaps.tests.words, gaps.tests.headlines) == (4, 2)
    line = gaps.headline("multitask")
    assert line and line.models == ("a", "b") and line.verdict is Verdict.NARROWS_OTHERS_GAIN
    assert line.gap and line.gap.value == pytest.approx(
        sum(_change(gaps, model=model).gap.value for model in "ab") / 2
    )


def test_a_source_that_fell_is_named_by_its_language():
    worse = {"en": 0.6, "sw": 0.6, "th": 0.6}
    assert _change(_study({"single": GOOD, "multitask": worse})).reads_as == "narrows, English fell"


def test_a_language_with_five_items_carries_no_word():
    rows = Rows()
    for strategy, german in (("single", [1] * 5), ("multitask", [0] * 5)):
        arm_answers = {**answers(3, 400, GOOD, 3), "de": [german] * 3}
        rows.arm(arm_answers, "m", strategy)
    change = _change(rows.gaps())
    assert change.verdict is Verdict.EXPLORATORY and not change.adjusted
    assert change.reads_as == "EXPLORATORY: few items of nli (de)"


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_seeds_in_either_arm_are_exploratory(count):
    for strategy in ("single", "multitask"):
        change = _change(_study({"single": GOOD, "multitask": BETTER}, count={strategy: count}))
        assert change.verdict is Verdict.EXPLORATORY and not change.adjusted
        assert change.gap is not None


def test_a_failed_seed_that_leaves_two_takes_the_verdict_and_is_told():
    rows = Rows()
    for task, strategy in product(("nli", "qa"), ("single", "multitask")):
        count = 2 if (task, strategy) == ("qa", "multitask") else 3
        rows.arm(answers(1, 200, BETTER, count), strategy=strategy, task=task)
    rows.missing("killed", strategy="multitask", task="qa", seed=3)
    change = _change(rows.gaps())
    assert change.verdict is Verdict.EXPLORATORY and change.seeds == (1, 2)
    assert change.notes == ("multitask: seed 3 lacks qa (killed): 2 left, no verdict",)


def test_different_seeds_are_compared():
    rows = Rows().arm(answers(1, 400, GOOD, 3), seeds=[1, 2, 3])
    rows.arm(answers(2, 400, BETTER, 5), strategy="multitask", seeds=[4, 5, 6, 7, 8])
    change = _change(rows.gaps())
    assert change.verdict is Verdict.NARROWS_OTHERS_GAIN
    assert (change.seeds, change.baseline_seeds) == ((4, 5, 6, 7, 8), (1, 2, 3))


def test_what_saw_a_target_language_is_not_zero_shot():
    trained = {"multitask": ("sw",)}
    change = _change(_study({"single": GOOD, "multitask": BETTER}, trained_languages=trained))
    assert change.verdict is Verdict.NOT_ZERO_SHOT and change.reads_as == "not zero-shot"
    other_change = _change(
        _study({"single": GOOD, "multitask": BETTER}, trained_languages={"multitask": ("fr",)})
    )
    assert other_change.verdict is Verdict.NARROWS_OTHERS_GAIN


def test_a_guess_has_not_learnt():
    guess = {"en": 0.5, "sw": 0.5, "th": 0.5}
    gaps = _study(
        {"single": GOOD, "multitask": guess}, chance=dict.fromkeys(("single", "multitask"), 50.0)
    )
    task = gaps.task(("m", "multitask"), "nli")
    assert task and task.learning.status == "not learnt" and task.retention is None
    change, arm_facts = _change(gaps), gaps.average(("m", "multitask"))
    assert change.verdict is Verdict.NOT_LEARNT and change.reads_as == "not learnt: nli"
    assert arm_facts and arm_facts.gap is None and arm_facts.not_learnt == ("nli",)


def test_the_floor_is_the_share_of_the_commonest_label():
    """70% in every language, where one label is 68% of the gold: nothing was learnt."""
    rates = {"en": 0.7, "sw": 0.7}
    for floor, status in ((50.0, "learnt"), (68.0, "not learnt"), (67.0, "not learnt")):
        rows = Rows().arm(answers(3, 1000, rates), chance=50.0, floor=floor)
        assert rows.gaps().tasks[0].learning.status == status


def test_a_score_just_above_its_floor_is_barely_learnt():
    rows = Rows().arm({"en": [right(540, 1000)], "sw": [right(520, 1000)]}, floor=50.0)
    (change,) = rows.gaps().tasks
    assert change.learning.status == "barely learnt" and change.at_floor == ("sw",)


@pytest.mark.parametrize("items", [5, 6])
def test_five_items_can_show_nothing_of_two_labels(items):
    rows = Rows().arm({"en": [right(items, items)], "sw": [right(0, items)]}, chance=50.0)
    assert rows.gaps().tasks[0].learning.status == "not learnt"


def test_a_language_of_five_items_has_a_wide_interval():
    rows = Rows().arm({"en": [right(90, 100)], "sw": [right(5, 5)]}, chance=50.0)
    score = rows.gaps().tasks[0].scores["sw"]
    assert score.low is not None and score.low < 60 and score.high == pytest.approx(100)


def test_one_collapsed_seed_makes_an_arm_unstable():
    collapsed = answers(1, 400, BETTER, 2)
    collapsed["en"].append(right(200, 400))
    collapsed["sw"].append(right(200, 400))
    collapsed["th"].append(right(200, 400))
    rows = Rows().arm(answers(2, 400, GOOD, 3), chance=50.0)
    rows.arm(collapsed, strategy="multitask", chance=50.0)
    gaps = rows.gaps()
    change, arm_facts = _change(gaps), gaps.average(("m", "multitask"))
    assert change.verdict is Verdict.UNSTABLE
    assert change.reads_as == "unstable: 1 of 3 seeds not learnt on nli"
    assert arm_facts and arm_facts.unstable == {"nli": (3,)} and arm_facts.gap is not None


def test_a_constant_answer_is_named_whatever_its_score():
    rows = Rows().arm(
        answers(2, 400, GOOD, 3), constant_answer="no", constant_share=97.0, chance=50.0
    )
    gaps = rows.gaps()
    assert gaps.averages[0].constant == {"nli": ("no", 97.0)}
    assert gaps.tasks[0].learning.status == "unstable"


def test_a_task_that_no_baseline_learnt_leaves_the_pool_with_its_reason():
    guess = {"en": 0.5, "sw": 0.5}
    rows = Rows()
    for strategy in ("single", "multitask"):
        rows.arm(answers(1, 400, GOOD, 3), strategy=strategy, chance=50.0)
        rows.arm(answers(2, 400, guess, 3), strategy=strategy, chance=50.0, task="hard")
    (pool,) = rows.gaps().pools
    assert pool.tasks == ("nli",)
    assert pool.left_out == {"hard": "not learnt by single of 1 of 1 model (m)"}


def test_unequal_budgets_have_a_badge_and_no_headline():
    steps = {"single": 100, "multitask": 50}
    trainings = {"single": ("a",), "multitask": ("b", "c")}
    total = {"single": (100,), "multitask": (450, 50)}
    rows = Rows()
    for strategy, rates in (("single", GOOD), ("multitask", BETTER)):
        for task in ("nli", "ner"):
            rows.arm(
                answers(7, 400, rates, 3), strategy=strategy, task=task,
                target_steps=steps[strategy], training_steps=total[strategy],
                trainings=trainings[strategy],
            )  # fmt: skip
    gaps = rows.gaps()
    change, line = _change(gaps), gaps.headline("multitask")
    # Both tasks share the trainings, and so do all seeds here: each counts once.
    assert change.equal_budget is False and change.more_steps == round(500 / 3) - round(100 / 3)
    assert line and line.verdict is None and line.undefined == "unequal budgets"
    assert line.left_out == {"m": "unequal budgets"}


def test_arms_that_score_one_training_are_paired_by_seed():
    def rows(**facts):
        board = Rows()
        for strategy in ("single", "multitask"):
            for seed, rate in ((1, 0.5), (2, 0.6), (3, 0.7)):
                rates = {"en": 0.9, "sw": rate + 0.1 * (strategy == "multitask")}
                board.arm(answers(seed, 2000, rates), strategy=strategy, seeds=[seed],
                          **dict.fromkeys(facts, (f"t{seed}",)))  # fmt: skip
        return board.gaps()

    apart, paired = _change(rows()), _change(rows(trainings=True))
    assert paired.paired_seeds and not apart.paired_seeds
    assert paired.others and apart.others and paired.others.error < apart.others.error / 2


def test_all_equal_scores_say_that_they_can_not_tell():
    equal_answers = {"en": [right(30, 40)] * 3, "sw": [right(20, 40)] * 3}
    rows = Rows().arm(equal_answers).arm(equal_answers, strategy="multitask")
    change = _change(rows.gaps())
    assert change.verdict is Verdict.OPEN
    assert change.gap and change.gap.low is not None and change.gap.low < 0 < change.gap.high


def test_one_language_alone_has_no_gap_and_no_word():
    rows = (
        Rows()
        .arm({"en": [right(90, 100)] * 3})
        .arm({"en": [right(80, 100)] * 3}, strategy="multitask")
    )
    gaps = rows.gaps()
    assert gaps.pools[0].tasks == () and _change(gaps).gap is None and not _change(gaps).reads_as
    assert gaps.pools[0].left_out == {"nli": "no language beside English"}


TABLE = [
    (-1, 1, 0, False, False, False, Verdict.NARROWS_OTHERS_GAIN),
    (-1, 0, -1, False, False, False, Verdict.NARROWS_SOURCE_FELL),
    (-1, -1, -1, False, False, False, Verdict.NARROWS_SOURCE_FELL),
    (-1, 0, 0, False, False, False, Verdict.NARROWS_WHY_OPEN),
    (1, -1, 0, False, False, False, Verdict.WIDENS_OTHERS_LOSE),
    (1, 1, 1, False, False, False, Verdict.WIDENS_SOURCE_GAINED),
    (1, 0, 0, False, False, False, Verdict.WIDENS_WHY_OPEN),
    (0, 1, 0, True, True, False, Verdict.ALL_GAIN_GAP_SAME),
    (0, 1, 0, False, True, False, Verdict.OTHERS_GAIN_GAP_OPEN),
    (0, 1, 0, True, False, False, Verdict.OTHERS_GAIN_GAP_OPEN),
    (0, -1, 0, False, True, True, Verdict.OTHERS_LOSE_GAP_OPEN),
    (0, 0, 0, False, True, True, Verdict.SAME),
    (0, 0, 0, False, True, False, Verdict.OPEN),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[-1].name)
def test_the_decision_table(row):
    assert decide(Findings(*row[:-1])) is row[-1]


def test_the_source_is_asked_where_the_gap_moved_and_the_others_do_not_explain_it():
    asking_words = {
        (gap, others_word)
        for gap, others_word in product((-1, 0, 1), repeat=2)
        if asks_source(gap, others_word)
    }
    assert asking_words == {(-1, 0), (-1, -1), (1, 0), (1, 1)}


def test_no_status_is_a_claim():
    assert not any(verdict.is_claim and verdict.is_status for verdict in Verdict)
    assert [verdict for verdict in Verdict if not verdict.is_claim and not verdict.is_status] == [
        Verdict.SAME,
        Verdict.OPEN,
    ]
