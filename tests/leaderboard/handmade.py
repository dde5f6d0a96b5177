"""Boards from values that nobody measured: every verdict can be had, and no evidence is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xharness.gaps import (
    Average,
    Change,
    Estimate,
    Gaps,
    Headline,
    LearningCheck,
    TaskGap,
    TaskPool,
    TestCounts,
    TrainingBudget,
    Verdict,
)
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard import Board
from xharness.spec.study import Study

BASE = "single"
TASKS = ("nli", "ner")
CODES = ("en", "de", "sw")
Readings = Mapping[tuple[str, str], Verdict]


def board(
    readings: Readings,
    headlines: Sequence[Headline] = (),
    *,
    seeds: int = 3,
    sizes: Mapping[str, int] | None = None,
    sourceless: Sequence[Change] = (),
) -> Board:
    """A board of these arms, a baseline for each of their models; Δ others counts down from 9."""
    models = list(dict.fromkeys(model for model, _ in readings))
    strategies = [BASE, *dict.fromkeys(strategy for _, strategy in readings)]
    arms = [
        (model, name)
        for model in models
        for name in strategies
        if name == BASE or (model, name) in readings
    ]
    study = Study.model_validate({
        "name": "handmade",
        "title": "Does it narrow the gap?",
        "models": [{"name": model, "backend": "none"} for model in models],
        "strategies": strategies,
        "targets": list(TASKS),
        "seeds": list(range(1, seeds + 1)),
    })  # fmt: skip
    pool = TaskPool(
        "measured", "fine-tuned", tuple(arms), TASKS, dict.fromkeys(TASKS, CODES[1:]), {},
        tuple(dict.fromkeys(task for change in sourceless for task in change.tasks)),
    )  # fmt: skip
    gaps = Gaps(
        baseline=BASE,
        tasks=tuple(_task_gap(arm, task, seeds) for task in TASKS for arm in arms),
        changes=(),
        averages=tuple(_average(arm, readings.get(arm)) for arm in arms),
        average_changes=tuple(
            _change(arm, verdict, index, seeds)
            for index, (arm, verdict) in enumerate(readings.items())
        ),
        sourceless_changes=tuple(sourceless),
        headlines=tuple(headlines),
        pools=(pool,),
        trends=(),
        tests=TestCounts(2 * len(headlines), 2 * len(readings), 0),
    )
    rows = tuple(_row(arm, task, code, sizes) for arm in arms for task in TASKS for code in CODES)
    return Board(study, rows, gaps)


def estimate(value: float, reach: float | None = 1.0) -> Estimate:
    """A number with an interval of this half width, or without one."""
    return Estimate(value) if reach is None else Estimate(value, value - reach, value + reach)


def headline(
    strategy: str, verdict: Verdict | None, models: Sequence[str], value: float = 3.0
) -> Headline:
    """One strategy over these models."""
    return Headline(
        strategy, BASE, tuple(models), {}, TASKS,
        source=estimate(value), others=estimate(value), gap=estimate(-value), verdict=verdict,
        reads_as="" if verdict is None else verdict.format(source="English"),
    )  # fmt: skip


def sourceless(arm: tuple[str, str], task: str, value: float) -> Change:
    """What the mean of a task without a source score changes by."""
    return Change(*arm, BASE, None, (task,), others=estimate(value))


def with_budgets(
    board_without: Board, steps: Mapping[str, int], before: Mapping[str, int] | None = None
) -> Board:
    """The same board, its arms trained for so many steps a task, after so many on others."""
    gaps = board_without.gaps
    in_all = {name: 2 * count + (before or {}).get(name, 0) for name, count in steps.items()}
    tasks = tuple(
        replace(gap, budget=TrainingBudget(steps[gap.strategy], in_all[gap.strategy], 500))
        for gap in gaps.tasks
    )
    changes = tuple(
        replace(
            change,
            equal_budget=steps[change.strategy] == steps[BASE],
            more_steps=in_all[change.strategy] - in_all[BASE],
        )
        for change in gaps.average_changes
    )
    averages = tuple(replace(average, steps=in_all[average.strategy]) for average in gaps.averages)
    changed = replace(gaps, tasks=tasks, average_changes=changes, averages=averages)
    return replace(board_without, gaps=changed)


def _task_gap(arm: tuple[str, str], task: str, seeds: int) -> TaskGap:
    scores = {"en": estimate(60), "de": estimate(50), "sw": estimate(40)}
    return TaskGap(
        *arm, task, "accuracy", "measured", "fine-tuned", tuple(range(1, seeds + 1)), "en",
        CODES[1:], estimate(60), estimate(45), estimate(15), worst="sw",
        learning=LearningCheck("learnt", 33.3), covers=("items",), scores=scores,
    )  # fmt: skip


def _average(arm: tuple[str, str], verdict: Verdict | None) -> Average:
    if verdict is Verdict.NOT_LEARNT:
        reason = "not learnt: nli"
        return Average(*arm, "measured", "fine-tuned", TASKS, undefined=reason, not_learnt=("nli",))
    return Average(
        *arm, "measured", "fine-tuned", TASKS, (1, 2, 3), estimate(60), estimate(45), estimate(15)
    )


def _change(arm: tuple[str, str], verdict: Verdict, index: int, seeds: int) -> Change:
    value = 9.0 - index
    has_numbers = verdict is not Verdict.NOT_LEARNT
    numbers = [estimate(number) if has_numbers else None for number in (1.0, value, 1 - value)]
    words = verdict.format(source="English") if has_numbers else "not learnt: nli"
    every_seed = tuple(range(1, seeds + 1))
    return Change(
        *arm, BASE, None, TASKS, every_seed, every_seed, False, *numbers, verdict=verdict,
        reads_as=words,
    )  # fmt: skip


def _row(arm: tuple[str, str], task: str, code: str, sizes: Mapping[str, int] | None) -> ScoreRow:
    return ScoreRow(
        model=arm[0], strategy=arm[1], seed=1, task=task, task_type="classification", language=code,
        source_language="en", split="test", metric="accuracy", main=True, value=50.0, n=100,
        parameters=(sizes or {}).get(arm[0]), embedding_parameters=0 if sizes else None,
    )  # fmt: skip
