"""What limits the answer: seeds, tasks left out, what was not learnt, and notes of the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from xharness.gaps import ArmName, TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import escape
from xharness.phrases import counted, listed

_NAMED = 3  # arms named in a remark before it counts them
_FEW_SEEDS = 5  # below it, the t quantile makes an interval a third wider or more
Escape = Callable[[str], str]


def section(board: Board) -> list[str]:
    """All limits as a list in Markdown."""
    return ["## Limits", "", *(f"- {limit}" for limit in limits(board, escape)), ""]


def limits(board: Board, safe: Escape) -> Iterator[str]:
    """One sentence a limit, the weightiest first; `safe` keeps names text."""
    yield from _seeds(board)
    yield from _left_out(board, safe)
    scored_gaps = [task_gap for task_gap in board.gaps.tasks if task_gap.scores]
    yield from _learning(scored_gaps, safe)
    # Told once with all that carry it: a board of a hundred arms has the same note under each.
    for note in dict.fromkeys(note for task_gap in scored_gaps for note in task_gap.notes):
        carriers = [task_gap for task_gap in scored_gaps if note in task_gap.notes]
        yield f"{_carriers(carriers, scored_gaps, safe)}: {safe(note)}."


def _left_out(board: Board, safe: Escape) -> Iterator[str]:
    """Tasks that no average holds, and models that a strategy's headline leaves out."""
    for pool in board.gaps.pools:
        rows = "" if pool is board.pool else f" of {pool.provenance}, {pool.protocol} rows"
        for task, reason in pool.left_out.items():
            yield f"{safe(task)} is in no average{rows}: {safe(reason)}."
    for headline in board.gaps.headlines:
        # Where nothing is averaged, the table already says why of each arm.
        for model, reason in headline.left_out.items() if headline.models else ():
            strategy = safe(headline.strategy)
            yield f"{strategy} over the models leaves {safe(model)} out: {safe(reason)}."


def _learning(scored_gaps: Sequence[TaskGap], safe: Escape) -> Iterator[str]:
    """For each task, which arms have not or hardly learnt it, and which answer always the same."""
    for status in ("not learnt", "unstable", "barely learnt"):
        for task in dict.fromkeys(task_gap.task for task_gap in scored_gaps):
            carriers = [
                task_gap
                for task_gap in scored_gaps
                if task_gap.task == task and task_gap.learning.status == status
            ]
            if carriers:
                yield f"{_carriers(carriers, scored_gaps, safe)}: {status}."
    constant: dict[tuple[str, str], list[TaskGap]] = defaultdict(list)
    for task_gap in scored_gaps:
        if task_gap.learning.constant_answer is not None:
            constant[task_gap.task, task_gap.learning.constant_answer].append(task_gap)
    for (_, answer), carriers in constant.items():
        yield f"{_carriers(carriers, scored_gaps, safe)}: always answers '{safe(answer)}'."


def _carriers(carriers: Sequence[TaskGap], scored_gaps: Sequence[TaskGap], safe: Escape) -> str:
    """The tasks a note speaks of, and for each the arms where it is not all of them."""
    arms_of_task: dict[str, set[ArmName]] = defaultdict(set)
    for task_gap in carriers:
        arms_of_task[task_gap.task].add(task_gap.arm)
    all_arms = {
        task: {task_gap.arm for task_gap in scored_gaps if task_gap.task == task}
        for task in arms_of_task
    }
    tasks: dict[frozenset[ArmName], list[str]] = defaultdict(list)
    for task, arms in arms_of_task.items():
        tasks[frozenset() if arms == all_arms[task] else frozenset(arms)].append(task)
    count = len({task_gap.task for task_gap in scored_gaps})
    return "; ".join(_tasks_and_arms(names, arms, count, safe) for arms, names in tasks.items())


def _tasks_and_arms(
    tasks: Sequence[str], arms: Collection[ArmName], count: int, safe: Escape
) -> str:
    """`udpos and wikiann (2 arms)`; no arms stand for all of them."""
    names = "every task" if len(tasks) == count > 1 else listed(map(safe, tasks))
    if not arms:
        return names
    if len(arms) > _NAMED:
        return f"{names} ({len(arms)} arms)"
    return f"{names} ({listed(safe(arm.label) for arm in sorted(arms))})"


def _seeds(board: Board) -> Iterator[str]:
    seeds = [task_gap.seeds for task_gap in board.gaps.tasks if task_gap.seeds]
    counts = {len(numbers) for numbers in seeds if numbers != (None,)}
    if not seeds:
        yield "Nothing was scored."
    elif not counts:
        yield "No source says of how many seeds its numbers are."
    elif counts == {1}:
        yield (
            "One seed: intervals cover the choice of test items, not the luck of training; "
            "another seed may well turn a change round."
        )
    elif min(counts) < _FEW_SEEDS:
        low, high = min(counts), max(counts)
        text = counted(high, "seed") if low == high else f"{low} to {counted(high, 'seed')}"
        yield (
            f"{text}: intervals allow for how little so few say about the luck of training, so "
            "they are wide; five are what a publication needs."
        )
