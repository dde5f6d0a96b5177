"""What each strategy changes against the baseline, averaged over its pool's tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from xharness.gaps.averages import (
    Tasks,
    dropped_seeds,
    positions,
    seed_indices,
    steps_in_all,
    unpooled,
    with_status,
)
from xharness.gaps.intervals import detectable_changes, of_changes
from xharness.gaps.measured import QUANTITIES, MeasuredArm
from xharness.gaps.pools import NO_TASK, common_seeds, lacks, members
from xharness.gaps.sampled import Contrast, mean_contrast
from xharness.gaps.values import Arm, Change, Quantity, TaskPool


@dataclass(frozen=True)
class MeasuredChange:
    """An arm's average change with what it is made of; no contrasts where it is undefined."""

    change: Change
    contrasts: Mapping[Quantity, Contrast] = field(default_factory=dict)
    pool: TaskPool | None = None

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
            change(arm, tasks, arms.get((arm[0], baseline)), pool, baseline)
            for arm, tasks in arms.items()
            if arm[1] != baseline
        ]
    # An arm that failed everywhere still gets a row: silence would look like "no change".
    for arm in unpooled(measured, pools):
        if arm[1] != baseline:
            measured_changes.append(MeasuredChange(Change(*arm, baseline, None, undefined=NO_TASK)))
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
            if arm[1] != baseline and sourceless:
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


def change(
    arm: Arm, tasks: Tasks, base: Tasks | None, pool: TaskPool, baseline: str
) -> MeasuredChange:
    """An arm's average change, without its numbers' intervals as yet."""
    empty = Change(*arm, baseline, None)
    reason = _why_no_change(tasks, base, pool, baseline)
    if reason is None and base is not None:
        # Over tasks within a seed first: what a seed did to all tasks at once stays in the spread.
        contrasts = contrasts_over(tasks, base, pool.tasks)
        seeds, base_seeds = (common_seeds(side, pool.tasks) for side in (tasks, base))
        empty = replace(
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
        return MeasuredChange(with_status(empty, tasks, base, pool), contrasts, pool)
    empty = replace(empty, undefined=reason)
    return MeasuredChange(with_status(empty, tasks, base or {}, pool), pool=pool)


def _estimated(changes: Sequence[MeasuredChange]) -> list[MeasuredChange]:
    """The changes with their intervals, computed all at once."""
    keys = [
        (index, name)
        for index, measured_change in enumerate(changes)
        for name in measured_change.contrasts
    ]
    contrasts = [changes[index].contrasts[name] for index, name in keys]
    # All at once: the search for p values takes about as long for one as for a thousand.
    estimates = dict(zip(keys, of_changes(contrasts), strict=True))
    return [
        replace(
            measured_change,
            change=replace(
                measured_change.change,
                source=estimates.get((index, "source")),
                others=estimates.get((index, "others")),
                gap=estimates.get((index, "gap")),
                detectable=detectable_changes(measured_change.contrasts),
            ),
        )
        for index, measured_change in enumerate(changes)
    ]


def _over_sourceless(arm: Arm, tasks: Tasks, baseline: str) -> MeasuredChange:
    """Each task on all its own seeds where they differ: no words hang on it."""
    names = tuple(tasks)
    task_changes = [tasks[task].change for task in names]
    seeds = {task_change.seeds for task_change in task_changes if task_change is not None}
    base_seeds = {
        task_change.baseline_seeds for task_change in task_changes if task_change is not None
    }
    contrasts = [tasks[task].contrasts["others"] for task in names]
    # A mean over tasks needs one set of seeds; what a task has beyond it is left out.
    if len(seeds) > 1 or len(base_seeds) > 1:
        common = [
            tuple(
                seed
                # What is common to all of them is in the shortest.
                for seed in min(seeds_by_task, key=len)
                if all(seed in task_seeds for task_seeds in seeds_by_task)
            )
            for seeds_by_task in (seeds, base_seeds)
        ]
        if not all(common):
            reason = "no seed has a score on all of " + ", ".join(names)
            return MeasuredChange(Change(*arm, baseline, None, names, undefined=reason))
        contrasts = [
            contrast.on(
                positions(task_change.seeds, common[0]),
                positions(task_change.baseline_seeds, common[1]),
            )
            for contrast, task_change in zip(contrasts, task_changes, strict=True)
            if task_change is not None
        ]
        seeds, base_seeds = {common[0]}, {common[1]}
    average_contrast = mean_contrast(contrasts)
    change = Change(
        *arm, baseline, None, names, seeds.pop(), base_seeds.pop(), average_contrast.paired,
        undefined="no test set in the source language", covers=average_contrast.covers,
    )  # fmt: skip
    return MeasuredChange(change, {"others": average_contrast})


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
    reason = lacks(tasks, pool)
    if reason is not None:
        return reason
    reason = lacks(base, pool)
    if reason is not None:
        return f"{baseline}: {reason}"
    for task in pool.tasks:
        task_change = tasks[task].change
        if task_change is None or task_change.undefined is not None:
            return f"{task}: {task_change.undefined if task_change is not None else NO_TASK}"
    return None


def _change_notes(
    arm: Arm, tasks: Tasks, base: Tasks, names: Sequence[str], baseline: str
) -> tuple[str, ...]:
    """Seeds that one of both lacks on some task, and what the tasks' changes note."""
    notes = [
        f"{strategy}: {note}"
        for strategy, side in ((arm[1], tasks), (baseline, base))
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
    # What one side lacks, a task or a seed of it, would count as fewer steps.
    scored_tasks = [
        {name: task.gap.seeds for name, task in side.items() if task.gap.seeds}
        for side in (tasks, base)
    ]
    if {*scored_tasks[0]} != {*scored_tasks[1]} or any(
        len({*seeds_of_task.values()}) > 1 for seeds_of_task in scored_tasks
    ):
        return None
    arm_steps, base_steps = steps_in_all(tasks), steps_in_all(base)
    return None if arm_steps is None or base_steps is None else arm_steps - base_steps
