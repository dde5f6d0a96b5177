"""What forbids a word before any test is asked: the status of a change."""

from __future__ import annotations

from dataclasses import replace

from xharness.gaps.averages import FEWEST_SEEDS, Tasks
from xharness.gaps.values import Change, TaskPool
from xharness.gaps.verdicts import Verdict


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
    if any(not gap.zero_shot for _, gap, _ in of_pool):
        statuses.append((Verdict.NOT_ZERO_SHOT, Verdict.NOT_ZERO_SHOT.value))
    for prefix in dict.fromkeys(prefix for _, _, prefix in of_pool):
        checks = [(task, gap.learning) for task, gap, check in of_pool if check == prefix]
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
    order = (Verdict.NOT_ZERO_SHOT, Verdict.NOT_LEARNT, Verdict.UNSTABLE, Verdict.EXPLORATORY)
    return sorted(statuses, key=lambda check: order.index(check[0]))
