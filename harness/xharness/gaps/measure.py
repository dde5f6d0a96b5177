"""From score rows and evidence to gaps, changes and averages, each with its interval and words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from xharness.gaps import changes, contrasts
from xharness.gaps.averages import averages
from xharness.gaps.cells import ArmCells, arrange
from xharness.gaps.changes import MeasuredChange
from xharness.gaps.contrasts import TaskContrast
from xharness.gaps.evidence import Evidence
from xharness.gaps.headlines import ModelCovariance, headlines
from xharness.gaps.influences import ArmItems, Metrics, items_of_task
from xharness.gaps.intervals import detectable_changes, quantity_estimates
from xharness.gaps.measured import QUANTITIES, MeasuredArm, measured_arm
from xharness.gaps.pools import pools
from xharness.gaps.scores import CellRow
from xharness.gaps.trend import sizes, trends
from xharness.gaps.values import Change, Estimate, Gaps, LanguageTest, Quantity, TaskGap, TestCounts
from xharness.gaps.wordings import Tested, wordings
from xharness.spec.languages import name_of


def measure(
    rows: Iterable[CellRow],
    evidence: Evidence,
    metrics: Metrics,
    *,
    baseline: str = "single",
    source_score_from: Mapping[str, str | None] | None = None,
) -> Gaps:
    """Gap of every arm on every task, its change against the strategy `baseline`, averages, words.

    `metrics` maps a task type to its metrics; `source_score_from` a task without a test set in
    the source language to the one whose source-language score stands in, over what its rows say.
    Rows whose items are not in `evidence` get intervals over seeds alone, or none. Nothing is
    drawn at random.

    Raises:
        ConfigurationError: two rows for one cell, evidence that contradicts its row, or a metric
            that is unknown here.
    """
    row_list = list(rows)
    measured, covariances = _tasks(
        arrange(row_list, source_score_from), evidence, metrics, baseline
    )
    task_pools = pools(measured, baseline)
    source = _source_name([arm.gap for arm in measured])
    measured_changes = changes.changes(measured, task_pools, baseline)
    worded = _worded(measured_changes, source)
    first_pool_changes = [change for change in measured_changes if change.pool in task_pools[:1]]
    strategy_headlines = headlines(first_pool_changes, covariances, baseline, source)
    size_trends = trends(measured, task_pools, sizes(row_list), baseline)
    return Gaps(
        baseline=baseline,
        tasks=tuple(arm.gap for arm in measured),
        changes=tuple(arm.change for arm in measured if arm.change is not None),
        averages=averages(measured, task_pools),
        average_changes=worded,
        sourceless_changes=tuple(changes.sourceless_changes(measured, task_pools, baseline)),
        headlines=strategy_headlines,
        pools=task_pools,
        trends=size_trends,
        tests=TestCounts(
            sum(len(headline.adjusted) for headline in strategy_headlines),
            sum(len(change.adjusted) for change in worded),
            sum(trend.adjusted is not None for trend in size_trends),
        ),
    )


def _tasks(
    tasks: Iterable[tuple[str, Sequence[ArmCells]]],
    evidence: Evidence,
    metrics: Metrics,
    baseline: str,
) -> tuple[list[MeasuredArm], dict[tuple[str, str], ModelCovariance]]:
    """All arms on all tasks; one task's items are held at a time."""
    measured: list[MeasuredArm] = []
    covariances: dict[tuple[str, str], ModelCovariance] = {}
    for task, cells in tasks:
        arms, of_strategies = _task(items_of_task(cells, evidence, metrics), baseline)
        measured += arms
        covariances |= {
            (strategy, task): covariance for strategy, covariance in of_strategies.items()
        }
    return measured, covariances


def _task(
    arms: Sequence[ArmItems], baseline: str
) -> tuple[list[MeasuredArm], dict[str, ModelCovariance]]:
    """The arms of one task, and how the items move the changes of a strategy's models together."""
    # One a model: what differs between models cancels out, and what is left is the strategy's.
    bases = {arm.cells.model: arm for arm in arms if arm.cells.strategy == baseline}
    task_contrasts: dict[int, TaskContrast] = {}
    for index, arm in enumerate(arms):
        if arm.cells.strategy != baseline:
            base = bases.get(arm.cells.model)
            missing = TaskContrast(problem=f"there is no '{baseline}' to compare with")
            task_contrasts[index] = missing if base is None else contrasts.contrast(arm, base)
    task_changes = _changes(arms, bases, task_contrasts, baseline)
    measured = [
        replace(
            measured_arm(arm),
            change=task_changes.get(index),
            contrasts=task_contrasts[index].contrasts if index in task_contrasts else {},
        )
        for index, arm in enumerate(arms)
    ]
    return measured, _strategy_covariances(arms, task_contrasts)


def _strategy_covariances(
    arms: Sequence[ArmItems], task_contrasts: Mapping[int, TaskContrast]
) -> dict[str, ModelCovariance]:
    """Strategy to how the items move the changes of its models together."""
    strategies: dict[str, list[int]] = defaultdict(list)
    for index in task_contrasts:
        strategies[arms[index].cells.strategy].append(index)
    return {
        strategy: ModelCovariance(
            tuple(arms[index].cells.model for index in members),
            contrasts.model_covariances([task_contrasts[index] for index in members]),
        )
        for strategy, members in strategies.items()
    }


def _changes(
    arms: Sequence[ArmItems],
    bases: Mapping[str, ArmItems],
    task_contrasts: Mapping[int, TaskContrast],
    baseline: str,
) -> dict[int, Change]:
    """The changes of one task, all intervals and p values computed at once."""
    pairs = {
        index: (arms[index], bases[arms[index].cells.model], task_contrast)
        for index, task_contrast in task_contrasts.items()
        if task_contrast.languages
    }
    # Tests stand apart from words: they are corrected over a task's languages, words over arms.
    tests = dict(zip(pairs, contrasts.language_tests([*pairs.values()]), strict=True))
    estimates = quantity_estimates([contrast.contrasts for contrast in task_contrasts.values()])
    return {
        index: _change(
            arms[index].cells, bases, task_contrast, baseline, quantities, tests.get(index, {})
        )
        for (index, task_contrast), quantities in zip(
            task_contrasts.items(), estimates, strict=True
        )
    }


def _change(
    cells: ArmCells,
    bases: Mapping[str, ArmItems],
    task_contrast: TaskContrast,
    baseline: str,
    estimates: Mapping[Quantity, Estimate],
    tests: Mapping[str, LanguageTest],
) -> Change:
    """One arm's change on one task, put together."""
    change = Change(
        *cells.arm,
        against=baseline,
        task=cells.task,
        tasks=(cells.task,),
        source=estimates.get("source"),
        others=estimates.get("others"),
        gap=estimates.get("gap"),
        detectable=detectable_changes(task_contrast.spreads),
        tests=tests,
        undefined=task_contrast.problem,
        notes=task_contrast.notes,
    )
    if not task_contrast.contrasts:
        return change
    # Its quantities are all of the same seeds and items.
    any_contrast = next(iter(task_contrast.contrasts.values()))
    return replace(
        change,
        seeds=cells.seeds,
        baseline_seeds=bases[cells.model].cells.seeds,
        paired_seeds=any_contrast.paired,
        covers=any_contrast.covers,
    )


def _worded(changes: Sequence[MeasuredChange], source: str) -> tuple[Change, ...]:
    """The average changes with their words, corrected over all of the board."""
    # Holm's correction grows with the number of tests: what can carry no word takes no part.
    family = [change for change in changes if change.may_claim]
    tested = [
        Tested(
            {
                name: estimate
                for name in QUANTITIES
                if (estimate := getattr(change.change, name)) is not None
            },
            change.spreads,
        )
        for change in family
    ]
    # By identity: a change holds mappings and arrays, which have no hash.
    words = {
        id(change): replace(
            change.change,
            verdict=wording.verdict,
            adjusted=wording.adjusted,
            reads_as=wording.reads_as(source),
        )
        for change, wording in zip(family, wordings(tested), strict=True)
    }
    return tuple(words.get(id(change), change.change) for change in changes)


def _source_name(gaps: Sequence[TaskGap]) -> str:
    """What the language that gaps are measured from is called."""
    # Cards may be measured from different languages; then no one name fits the board.
    codes = {gap.source_language for gap in gaps if gap.source_language is not None}
    return name_of(codes.pop()) if len(codes) == 1 else "the source language"
