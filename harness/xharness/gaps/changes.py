"""What each strategy changes against the baseline, averaged over its pool's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xharness.gaps.averages import (
    Tasks,
    dropped_seeds,
    indices_of,
    seed_indices,
    steps_in_all,
    unpooled,
    with_status,
)
from xharness.gaps.intervals import detectable_changes, quantity_estimates
from xharness.gaps.measured import QUANTITIES, MeasuredArm
from xharness.gaps.pools import NO_TASK, common_seeds, members, why_no_average
from xharness.gaps.sampled import Contrast, mean_contrast
from xharness.gaps.spread import Spread
from xharness.gaps.values import ArmName, Change, Quantity, Seed, TaskPool


@dataclass(frozen=True)
class MeasuredChange:
    """An arm's average change with what it is made of; no contrasts where it is undefined."""

    change: Change
    contrasts: Mapping[Quantity, Contrast] = field(default_factory=dict)
    pool: TaskPool | None = None

    @property
    def spreads(self) -> dict[Quantity, Spread]:
        """How far each of the contrasts may be off."""
        return {name: contrast.spread() for name, contrast in self.contrasts.items()}

    @property
    def may_claim(self) -> bool:
        """Whether the decision table may be asked."""
        return "gap" in self.contrasts and self.change.verdict is None


def changes(
    measured: Sequence[MeasuredArm], pools: Sequence[TaskPool], baseline: str
) -> list[MeasuredChange]:
    """Every arm's change over the tasks of each of its pools, with its status if it has one."""
    measured_changes: list[MeasuredChange] = []
    for pool in pools:
        arms = members(measured, pool)
        measured_changes += [
            average_change(arm, tasks, arms.get(ArmName(arm.model, baseline)), pool, baseline)
            for arm, tasks in arms.items()
            if arm.strategy != baseline
        ]
    # An arm that failed everywhere still gets a row: silence would look like "no change".
    for model, strategy in unpooled(measured, pools):
        if strategy != baseline:
            undefined = Change(model, strategy, baseline, task=None, undefined=NO_TASK)
            measured_changes.append(MeasuredChange(undefined))
    return _estimated(measured_changes)


def sourceless_changes(
    measured: Sequence[MeasuredArm], pools: Sequence[TaskPool], baseline: str
) -> list[Change]:
    """Every arm's change of the mean over the tasks without a source score that it has."""
    measured_changes = []
    for pool in pools:
        for arm, tasks in members(measured, pool).items():
            sourceless = {
                task: measured_arm
                for task, measured_arm in tasks.items()
                if task in pool.sourceless and "others" in measured_arm.contrasts
            }
            if arm.strategy != baseline and sourceless:
                measured_changes.append(_over_sourceless(arm, sourceless, baseline))
    return [measured_change.change for measured_change in _estimated(measured_changes)]


def contrasts_over(
    tasks: Tasks, base: Tasks, names: Sequence[str], quantities: Sequence[Quantity] = QUANTITIES
) -> dict[Quantity, Contrast]:
    """An arm's contrasts averaged over tasks; each arm on the seeds that it has in all of them."""
    arm_indices, base_indices = seed_indices(tasks, names), seed_indices(base, names)
    return {
        name: mean_contrast(
            [
                tasks[task].contrasts[name].on(arm_indices[task], base_indices[task])
                for task in names
            ]
        )
        for name in quantities
    }


def average_change(
    arm: ArmName, tasks: Tasks, base: Tasks | None, pool: TaskPool, baseline: str
) -> MeasuredChange:
    """An arm's average change, without its numbers' intervals as yet."""
    empty = Change(*arm, baseline, None)
    reason = _why_no_change(tasks, base, pool, baseline)
    if reason is None and base is not None:
        # Over tasks within a seed first: what a seed did to all tasks at once stays in the spread.
        contrasts = contrasts_over(tasks, base, pool.tasks)
        seeds, base_seeds = (common_seeds(side, pool.tasks) for side in (tasks, base))
        averaged = replace(
            empty,
            tasks=pool.tasks,
            seeds=seeds,
            baseline_seeds=base_seeds,
            paired_seeds=contrasts["gap"].paired,
            covers=contrasts["gap"].covers,
            equal_budget=_equal_budget(tasks, base, pool.tasks),
            more_steps=_more_steps(tasks, base),
            notes=_change_notes(arm, tasks, base, pool.tasks, baseline),
        )
        return MeasuredChange(with_status(averaged, tasks, base, pool), contrasts, pool)
    undefined = replace(empty, undefined=reason)
    return MeasuredChange(with_status(undefined, tasks, base or {}, pool), pool=pool)


def _estimated(changes: Sequence[MeasuredChange]) -> list[MeasuredChange]:
    """The changes with their intervals, computed all at once."""
    estimates = quantity_estimates([measured_change.contrasts for measured_change in changes])
    return [
        replace(
            measured_change,
            change=replace(
                measured_change.change,
                source=quantities.get("source"),
                others=quantities.get("others"),
                gap=quantities.get("gap"),
                detectable=detectable_changes(measured_change.spreads),
            ),
        )
        for measured_change, quantities in zip(changes, estimates, strict=True)
    ]


def _over_sourceless(arm: ArmName, tasks: Tasks, baseline: str) -> MeasuredChange:
    """The mean over these tasks, on the seeds that each of both arms has in all of them."""
    names = tuple(tasks)
    task_changes = [change for task in names if (change := tasks[task].change) is not None]
    contrasts = [tasks[task].contrasts["others"] for task in names]
    seeds = _in_all([task_change.seeds for task_change in task_changes])
    base_seeds = _in_all([task_change.baseline_seeds for task_change in task_changes])
    if not seeds or not base_seeds:
        reason = "no seed has a score on all of " + ", ".join(names)
        return MeasuredChange(Change(*arm, baseline, None, names, undefined=reason))
    # A mean over tasks needs one set of seeds; what a task has beyond it is left out.
    average_contrast = mean_contrast(
        [
            contrast.on(
                indices_of(task_change.seeds, seeds),
                indices_of(task_change.baseline_seeds, base_seeds),
            )
            for contrast, task_change in zip(contrasts, task_changes, strict=True)
        ]
    )
    change = Change(
        *arm, baseline, None, names, seeds, base_seeds, average_contrast.paired,
        undefined="no test set in the source language", covers=average_contrast.covers,
    )  # fmt: skip
    return MeasuredChange(change, {"others": average_contrast})


def _in_all(seeds_of_tasks: Sequence[tuple[Seed, ...]]) -> tuple[Seed, ...]:
    """The seeds that every task has, in the order of the task that has the fewest."""
    fewest = min(seeds_of_tasks, key=len)
    return tuple(seed for seed in fewest if all(seed in seeds for seeds in seeds_of_tasks))


def _why_no_change(tasks: Tasks, base: Tasks | None, pool: TaskPool, baseline: str) -> str | None:
    if base is None:
        problems = [
            measured_arm.change.undefined
            for measured_arm in tasks.values()
            if measured_arm.change is not None
        ]
        first = next((problem for problem in problems if problem is not None), None)
        return first or f"there is no '{baseline}' to compare with"
    # The arm's own lack first: what its baseline lacks is the same line for every strategy.
    reason = why_no_average(tasks, pool)
    if reason is not None:
        return reason
    reason = why_no_average(base, pool)
    if reason is not None:
        return f"{baseline}: {reason}"
    for task in pool.tasks:
        task_change = tasks[task].change
        if task_change is None or task_change.undefined is not None:
            return f"{task}: {task_change.undefined if task_change is not None else NO_TASK}"
    return None


def _change_notes(
    arm: ArmName, tasks: Tasks, base: Tasks, names: Sequence[str], baseline: str
) -> tuple[str, ...]:
    """Seeds that one of both lacks on some task, and what the tasks' changes note."""
    notes = [
        f"{strategy}: {note}"
        for strategy, side in ((arm.strategy, tasks), (baseline, base))
        for note in dropped_seeds(side, names, common_seeds(side, names))
    ]
    for task in names:
        task_change = tasks[task].change
        notes += [
            f"{task}: {note}" for note in (task_change.notes if task_change is not None else ())
        ]
    return tuple(notes)


def _equal_budget(tasks: Tasks, base: Tasks, names: Sequence[str]) -> bool | None:
    pairs = [
        (tasks[task].gap.budget.target_steps, base[task].gap.budget.target_steps) for task in names
    ]
    # Published rows seldom say their steps: nothing is known, and nothing is held against them.
    if any(None in pair for pair in pairs):
        return None
    return all(arm_steps == base_steps for arm_steps, base_steps in pairs)


def _more_steps(tasks: Tasks, base: Tasks) -> int | None:
    """The arm's steps of all trainings minus the baseline's, where both have the same scores."""
    # What one side lacks, a task or a seed of it, would count as fewer steps.
    arm_seeds, base_seeds = (
        {name: task.gap.seeds for name, task in side.items() if task.gap.seeds}
        for side in (tasks, base)
    )
    if arm_seeds.keys() != base_seeds.keys() or any(
        len({*seeds_by_task.values()}) > 1 for seeds_by_task in (arm_seeds, base_seeds)
    ):
        return None
    arm_steps, base_steps = steps_in_all(tasks), steps_in_all(base)
    return None if arm_steps is None or base_steps is None else arm_steps - base_steps
