"""Which arms and tasks are averaged together.

A pool is one provenance and one protocol: numbers that somebody published are averaged by the same
code, never together with numbers measured here, and prompted answers never with fine-tuned ones.
All decisions look at source scores alone, so that none of them can favour a change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from xharness.gaps.measured import MeasuredArm
from xharness.gaps.values import ArmName, Seed, TaskGap, TaskPool
from xharness.phrases import counted

NO_TASK = "no task has a gap and is learnt by the baselines of most models"
_SOURCELESS = "no test set in the source language"
_NAMED = 3  # models named before they are counted


def pools(measured: Sequence[MeasuredArm], baseline: str) -> tuple[TaskPool, ...]:
    """The pools of these arms, measured ones first, then those of more arms."""
    origins = {
        (arm.gap.provenance, arm.gap.protocol)
        for arm in measured
        if arm.gap.provenance is not None and arm.gap.protocol is not None
    }
    unsorted_pools = [_pool(*origin, measured, baseline) for origin in origins]
    return tuple(
        sorted(
            unsorted_pools,
            key=lambda pool: (pool.provenance != "measured", -len(pool.arms), pool.protocol),
        )
    )


def members(
    measured: Iterable[MeasuredArm], pool: TaskPool
) -> dict[ArmName, dict[str, MeasuredArm]]:
    """What the pool's arms have there, by task: scores, and tasks that gave them none."""
    return _members(measured, pool.provenance, pool.protocol, pool.arms)


def why_no_average(tasks: Mapping[str, MeasuredArm], pool: TaskPool) -> str | None:
    """Why an arm has no average over the pool's tasks; None where it has."""
    if not pool.tasks:
        return NO_TASK
    gapless = [task for task in pool.tasks if task not in tasks or tasks[task].gap.gap is None]
    if gapless:
        return f"no gap on {', '.join(gapless)}"
    deviating = [task for task in pool.tasks if tasks[task].gap.languages != pool.languages[task]]
    if deviating:
        return f"scored in other languages on {', '.join(deviating)}"
    failed = [task for task in pool.tasks if not tasks[task].gap.learning.passed]
    if failed:
        return f"not learnt: {', '.join(failed)}"
    if not common_seeds(tasks, pool.tasks):
        return f"no seed has a score on all of {', '.join(pool.tasks)}"
    return None


def common_seeds(
    measured_tasks: Mapping[str, MeasuredArm], tasks: Sequence[str]
) -> tuple[Seed, ...]:
    """The seeds that an arm has in every one of these tasks."""
    first, *later_tasks = (measured_tasks[task].gap.seeds for task in tasks)
    return tuple(seed for seed in first if all(seed in seeds for seeds in later_tasks))


def _members(
    measured: Iterable[MeasuredArm], provenance: str, protocol: str, arms: Sequence[ArmName]
) -> dict[ArmName, dict[str, MeasuredArm]]:
    # A task that gave an arm no row says nothing of where it is from, and is its failure still.
    origins = {(provenance, protocol), (None, None)}
    pool_arms = set(arms)
    tasks_by_arm: dict[ArmName, dict[str, MeasuredArm]] = {arm: {} for arm in sorted(arms)}
    for measured_arm in measured:
        if (
            measured_arm.arm in pool_arms
            and (measured_arm.gap.provenance, measured_arm.gap.protocol) in origins
        ):
            tasks_by_arm[measured_arm.arm][measured_arm.gap.task] = measured_arm
    return tasks_by_arm


def _pool(
    provenance: str, protocol: str, measured: Sequence[MeasuredArm], baseline: str
) -> TaskPool:
    origin = (provenance, protocol)
    arms = sorted(
        {
            measured_arm.arm
            for measured_arm in measured
            if (measured_arm.gap.provenance, measured_arm.gap.protocol) == origin
        }
    )
    tasks_by_arm = _members(measured, provenance, protocol, arms)
    gaps = [measured_arm.gap for tasks in tasks_by_arm.values() for measured_arm in tasks.values()]
    languages = _languages(gaps, baseline)
    # a task must not come and go with how a strategy does on it
    deciding = {
        arm: tasks for arm, tasks in tasks_by_arm.items() if arm.strategy == baseline
    } or tasks_by_arm
    left_out = _left_out(gaps, deciding, languages)
    tasks = {task: codes for task, codes in languages.items() if task not in left_out}
    sourceless = sorted(
        {gap.task for gap in gaps if gap.others is not None}
        - {gap.task for gap in gaps if gap.gap is not None}
    )
    return TaskPool(
        provenance, protocol, tuple(arms), tuple(tasks), tasks, left_out, tuple(sourceless)
    )


def _languages(gaps: Sequence[TaskGap], baseline: str) -> dict[str, tuple[str, ...]]:
    """Task to the languages that most arms have it in, those of the baseline before others."""
    votes: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for gap in gaps:
        if gap.gap is not None:
            # one baseline outweighs all strategies: changes are counted from it
            votes[gap.task][gap.languages] += len(gaps) if gap.strategy == baseline else 1
    return {
        # Sorted first: among equals the alphabet decides, never the order of the rows.
        task: max(sorted(counts), key=lambda codes: (counts[codes], len(codes)))
        for task, counts in sorted(votes.items())
    }


def _left_out(
    gaps: Sequence[TaskGap],
    deciding: Mapping[ArmName, Mapping[str, MeasuredArm]],
    languages: Mapping[str, tuple[str, ...]],
) -> dict[str, str]:
    """The tasks that are in no average, with the reason.

    A model that has learnt nothing, or has no gap at all, has no say.
    """
    learnt_tasks = {
        arm: {
            task
            for task, measured_arm in tasks.items()
            if measured_arm.gap.gap is not None and measured_arm.gap.learning.passed
        }
        for arm, tasks in deciding.items()
    }
    voters = {arm: tasks for arm, tasks in learnt_tasks.items() if tasks}
    reasons: dict[str, str] = {}
    for task in sorted({gap.task for gap in gaps}):
        of_task = [gap for gap in gaps if gap.task == task]
        if task not in languages:
            reasons[task] = "; ".join(dict.fromkeys(gap.undefined or "" for gap in of_task))
            continue
        opponents = [arm for arm, tasks in voters.items() if task not in tasks]
        # Half of the models are enough to keep a task.
        if 2 * len(opponents) > len(voters) or not voters:
            reasons[task] = _left_out_reason(opponents, voters or deciding, deciding, task)
    return reasons


def _left_out_reason(
    opponents: Sequence[ArmName],
    voters: Mapping[ArmName, object],
    deciding: Mapping[ArmName, Mapping[str, MeasuredArm]],
    task: str,
) -> str:
    """`not learnt by single of 3 of 4 models (a, b and c)`."""
    arms = [*(opponents or voters)]
    failed = [arm for arm in arms if task in deciding[arm] and deciding[arm][task].gap.gap]
    verb = "not learnt by" if failed else "no gap of"
    strategies = sorted({strategy for _, strategy in arms})
    subject = strategies[0] if len(strategies) == 1 else "the arms"
    models = sorted({model for model, _ in arms})
    model_names = f" ({', '.join(models)})" if len(models) <= _NAMED else ""
    return f"{verb} {subject} of {len(models)} of {counted(len(voters), 'model')}{model_names}"
