"""Each arm averaged over its pool's tasks.

An average stands on the seeds that its arm has in every one of the tasks, and is taken over tasks
within a seed first: the spread of these numbers holds whatever the tasks' seeds share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from xharness.gaps.measured import QUANTITIES, MeasuredArm, estimates_of, retention
from xharness.gaps.pools import common_seeds, members, why_no_average
from xharness.gaps.sampled import Sampled, mean
from xharness.gaps.values import ArmName, Average, Change, Quantity, Seed, TaskPool
from xharness.gaps.verdicts import Verdict
from xharness.phrases import listed

Tasks = Mapping[str, MeasuredArm]
"""One arm's tasks by name."""
FEWEST_SEEDS = 3
"""In both arms, for a word of direction."""
_TASK_NOTES = "what is noted under its tasks holds for their average too"


def averages(measured: Sequence[MeasuredArm], pools: Sequence[TaskPool]) -> tuple[Average, ...]:
    """Every arm over the tasks of each of its pools, and those that are in none."""
    pooled = [
        average(arm, tasks, pool)
        for pool in pools
        for arm, tasks in members(measured, pool).items()
    ]
    return (*pooled, *(_failed(arm, tasks) for arm, tasks in unpooled(measured, pools).items()))


def average(arm: ArmName, tasks: Tasks, pool: TaskPool) -> Average:
    """One arm over the tasks of a pool; `undefined` where it lacks one."""
    # First: what was learnt is told of arms without an average too.
    empty = _without_numbers(arm, tasks, pool)
    reason = why_no_average(tasks, pool)
    if reason is not None:
        # An arm without any gap has reasons of its own, better than naming what it lacks.
        no_gap = all(check.gap.gap is None for check in tasks.values())
        return _failed(arm, tasks) if no_gap else replace(empty, undefined=reason)
    seeds = common_seeds(tasks, pool.tasks)
    quantities = over_tasks(tasks, pool.tasks)
    estimates = estimates_of(quantities)
    gaps = [tasks[task].gap for task in pool.tasks]
    floor = fmean(gap.learning.floor or 0.0 for gap in gaps)
    floor_of_others = fmean(tasks[task].floor_of_others for task in pool.tasks)
    return replace(
        empty,
        tasks=pool.tasks,
        seeds=seeds,
        source=estimates["source"],
        others=estimates["others"],
        gap=estimates["gap"],
        retention=retention(quantities, floor, floor_of_others),
        covers=quantities["gap"].covers,
        at_floor=sum(len(gap.at_floor) for gap in gaps),
        cells=sum(len(gap.languages) for gap in gaps),
        notes=(
            *dropped_seeds(tasks, pool.tasks, seeds),
            *([_TASK_NOTES] if any(gap.notes for gap in gaps) else ()),
        ),
    )


def over_tasks(tasks: Tasks, names: Sequence[str]) -> dict[Quantity, Sampled]:
    """An arm's quantities averaged over tasks, on the seeds that it has in all of them."""
    indices = seed_indices(tasks, names)
    return {
        name: mean([tasks[task].quantities[name].on(indices[task]) for task in names])
        for name in QUANTITIES
    }


def _without_numbers(arm: ArmName, tasks: Tasks, pool: TaskPool) -> Average:
    """An average without numbers: what was learnt, and how."""
    learning = {task: tasks[task].gap.learning for task in pool.tasks if task in tasks}
    return Average(
        *arm,
        pool.provenance,
        pool.protocol,
        not_learnt=tuple(task for task, check in learning.items() if not check.passed),
        barely_learnt=tuple(
            task for task, check in learning.items() if check.status == "barely learnt"
        ),
        unstable={
            task: check.failed_seeds
            for task, check in learning.items()
            if check.status == "unstable"
        },
        constant={
            task: (check.constant_answer or "one label", check.constant_share)
            for task, check in learning.items()
            if check.constant_share is not None
        },
        steps=steps_in_all(tasks),
    )


def steps_in_all(tasks: Tasks) -> int | None:
    """Steps of all trainings of an arm, the mean over its seeds; what tasks share counts once."""
    scored = [task for task in tasks.values() if task.gap.seeds]
    steps: dict[str, int] = {}
    for task in scored:
        # A sum that misses one training would pass for a small budget.
        if task.training_steps is None:
            return None
        steps |= task.training_steps
    seeds = {seed for task in scored for seed in task.gap.seeds}
    return round(sum(steps.values()) / len(seeds)) if seeds else None


def dropped_seeds(tasks: Tasks, names: Sequence[str], seeds: Sequence[Seed]) -> list[str]:
    """Which seeds an average leaves out because a task lacks them, and why it does."""
    all_seeds = dict.fromkeys(
        seed for task in names for seed in (*tasks[task].gap.seeds, *tasks[task].lost_seeds)
    )
    notes = []
    for seed in all_seeds:
        if seed in seeds:
            continue
        lacking_tasks = [task for task in names if seed not in tasks[task].gap.seeds]
        reasons = dict.fromkeys(
            tasks[task].lost_seeds.get(seed, "no row") for task in lacking_tasks
        )
        remainder = f"{len(seeds)} left" + (", no verdict" if len(seeds) < FEWEST_SEEDS else "")
        task_list = ", ".join(lacking_tasks)
        notes.append(f"seed {seed} lacks {task_list} ({'; '.join(reasons)}): {remainder}")
    return notes


def seed_indices(tasks: Tasks, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Task to the indices, among its seeds, of those that the arm has in all of these tasks."""
    seeds = common_seeds(tasks, names)
    return {task: indices_of(tasks[task].gap.seeds, seeds) for task in names}


def indices_of(seeds: Sequence[Seed], subset: Sequence[Seed]) -> tuple[int, ...]:
    """The index of each seed of `subset` among `seeds`."""
    return tuple(seeds.index(seed) for seed in subset)


def unpooled(
    measured: Sequence[MeasuredArm], pools: Sequence[TaskPool]
) -> dict[ArmName, dict[str, MeasuredArm]]:
    """The arms that are in no pool, with what was asked of them."""
    pooled = {arm for pool in pools for arm in pool.arms}
    arms: dict[ArmName, dict[str, MeasuredArm]] = {}
    for measured_arm in sorted(measured, key=lambda measured_arm: measured_arm.arm):
        if measured_arm.arm not in pooled:
            arms.setdefault(measured_arm.arm, {})[measured_arm.gap.task] = measured_arm
    return arms


def _failed(arm: ArmName, tasks: Tasks) -> Average:
    reasons = dict.fromkeys(measured_arm.gap.undefined or "" for measured_arm in tasks.values())
    return Average(*arm, undefined="; ".join(reasons))


def with_status(change: Change, tasks: Tasks, base: Tasks, pool: TaskPool) -> Change:
    """The change with the status that forbids words, if it has one."""
    for verdict, text in _statuses(change, tasks, base, pool):
        return replace(change, verdict=verdict, reads_as=text)
    return change


def _statuses(
    change: Change, tasks: Tasks, base: Tasks, pool: TaskPool
) -> list[tuple[Verdict, str]]:
    """Every status that holds, in the order in which they are asked."""
    statuses: list[tuple[Verdict, str]] = []
    sides = ((tasks, ""), (base, f"{change.against}: "))
    of_pool = [
        (task, side[task].gap, prefix)
        for side, prefix in sides
        for task in pool.tasks
        if task in side
    ]
    # Both sides: a baseline that saw the languages makes the change as little zero-shot.
    if any(not gap.zero_shot for _, gap, _ in of_pool):
        statuses.append((Verdict.NOT_ZERO_SHOT, Verdict.NOT_ZERO_SHOT.value))
    for prefix in dict.fromkeys(prefix for _, _, prefix in of_pool):
        checks = [(task, gap.learning) for task, gap, gap_prefix in of_pool if gap_prefix == prefix]
        failed = [task for task, check in checks if not check.passed]
        if failed:
            statuses.append((Verdict.NOT_LEARNT, f"{prefix}not learnt: {', '.join(failed)}"))
    for task, gap, prefix in of_pool:
        if gap.learning.status == "unstable":
            count = f"{len(gap.learning.failed_seeds)} of {len(gap.seeds)} seeds"
            statuses.append((Verdict.UNSTABLE, f"{prefix}unstable: {count} not learnt on {task}"))
    fewest = min(len(change.seeds), len(change.baseline_seeds))
    if change.undefined is None and fewest < FEWEST_SEEDS:
        statuses.append((Verdict.EXPLORATORY, Verdict.EXPLORATORY.value))
    for side in (tasks, base):
        for task in pool.tasks:
            if task in side and side[task].few_items:
                languages = listed(side[task].few_items, limit=3)
                text = f"{Verdict.EXPLORATORY.value}: few items of {task} ({languages})"
                statuses.append((Verdict.EXPLORATORY, text))
    # The gravest first: the board shows one status alone.
    order = (Verdict.NOT_ZERO_SHOT, Verdict.NOT_LEARNT, Verdict.UNSTABLE, Verdict.EXPLORATORY)
    return sorted(statuses, key=lambda status: order.index(status[0]))
