"""Every arm, averaged over the tasks of its pool; a table for each pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xharness.gaps import ArmName, Average, TaskGap, TaskPool
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import Footnotes, escape, known_detectable, parameters, points, table
from xharness.phrases import counted, listed


def section(board: Board) -> list[str]:
    """All arms with sizes, intervals, what could have been detected, and seeds."""
    lines = ["## Every arm", ""]
    pools = board.gaps.pools or (TaskPool("measured", "fine-tuned", (), (), {}, {}),)
    # Arms without any score are in no pool, and still have a line that says why.
    silent = [arm for arm in board.arms if not any(arm in pool.arms for pool in pools)]
    for pool in pools:
        if len(pools) > 1:
            lines += [f"### {escape(f'{pool.provenance}, {pool.protocol}'.capitalize())}", ""]
        members = {*pool.arms, *(silent if pool is pools[0] else ())}
        lines += _pool(board, pool, [arm for arm in board.arms if arm in members])
    return lines


def _pool(board: Board, pool: TaskPool, arms: Sequence[ArmName]) -> list[str]:
    left_out = [
        f"{escape(task)} is in no average: {escape(reason)}."
        for task, reason in pool.left_out.items()
    ]
    reasons = ["", *(f"- {line}" for line in left_out), ""] if left_out else [""]
    if not pool.tasks and (gaps := _gaps_of(board, pool)):
        return [*_task_by_task(board, gaps, arms), *reasons[1:]]
    footnotes = Footnotes()
    base = escape(board.gaps.baseline)
    header = [
        columns.MODEL, columns.STRATEGY, columns.PARAMETERS, columns.NON_EMBEDDING,
        escape(board.source_name), columns.OTHERS, columns.GAP, columns.CHANGE_OF_GAP,
        columns.CHANGE_OF_OTHERS, columns.READS_AS, columns.DETECTABLE, columns.RETENTION,
        columns.SEEDS,
    ]  # fmt: skip
    rows = [_arm(board, pool, arm, footnotes) for arm in arms]
    tasks = f"{counted(len(pool.tasks), 'task')}: {listed(map(escape, pool.tasks))}"
    start = f"Averages over {tasks}. " if pool.tasks else ""
    intro = f"{start}Points; Δ is against {base}; brackets hold 95% intervals."
    return [intro, "", *table(header, rows, 2), *footnotes.lines(), *reasons]


def _gaps_of(board: Board, pool: TaskPool) -> dict[tuple[ArmName, str], TaskGap]:
    """The gaps of the pool's arms, by arm and task."""
    return {
        cell: task_gap
        for cell, task_gap in board.task_gaps.items()
        if task_gap.gap is not None
        and (task_gap.provenance, task_gap.protocol) == (pool.provenance, pool.protocol)
    }


def _task_by_task(
    board: Board, gaps: Mapping[tuple[ArmName, str], TaskGap], arms: Sequence[ArmName]
) -> list[str]:
    """The gaps of arms that share no task, so that there is nothing to average over."""
    footnotes = Footnotes()
    tasks_with_gap = {task for _, task in gaps}
    tasks = [task for task in board.tasks if task in tasks_with_gap]
    header = [
        columns.MODEL,
        columns.STRATEGY,
        columns.PARAMETERS,
        columns.NON_EMBEDDING,
        *map(escape, tasks),
    ]
    rows = [
        [
            *map(escape, arm),
            *_sizes(board, arm, footnotes),
            *(
                cells.gap(gaps[arm, task], footnotes) if (arm, task) in gaps else "—"
                for task in tasks
            ),
        ]
        for arm in arms
    ]
    intro = (
        "No task has a gap for every one of these arms, so there is no average: here are their "
        "gaps, task by task. Points; brackets hold 95% intervals."
    )
    return [intro, "", *table(header, rows, 2), *footnotes.lines(), ""]


def _sizes(board: Board, arm: ArmName, footnotes: Footnotes) -> list[str]:
    """All parameters, and those outside the embedding."""
    return [
        parameters(size) + ("" if size else footnotes.mark("the size is not known"))
        for size in board.size_of(arm.model)
    ]


def _average(board: Board, pool: TaskPool, arm: ArmName) -> Average | None:
    """The arm over the tasks of the pool; the reason why not, where it is in none."""
    averages = [average for average in board.gaps.averages if average.arm == arm]
    pool_kind = (pool.provenance, pool.protocol)
    matching = [
        average for average in averages if (average.provenance, average.protocol) == pool_kind
    ]
    return next(iter([*matching, *averages]), None)


def _arm(board: Board, pool: TaskPool, arm: ArmName, footnotes: Footnotes) -> list[str]:
    average = _average(board, pool, arm)
    # Changes are looked up by arm, which gives those of its first pool: not to be shown in another.
    change = board.changes.get((arm, None)) if average is board.averages.get(arm) else None
    reason = average.undefined if average is not None else None
    gap_change, others_change = (change.gap, change.others) if change else (None, None)
    return [
        escape(arm.model),
        cells.name(arm.strategy, footnotes, *_remarks(average)),
        *_sizes(board, arm, footnotes),
        cells.number(average.source if average else None, footnotes, reason),
        cells.number(average.others if average else None, footnotes, reason),
        cells.gap(average, footnotes),
        cells.change(gap_change, change, footnotes),
        cells.change(others_change, change, footnotes),
        escape(change.reads_as) if change and change.reads_as else "—",
        known_detectable(change.detectable.get("gap") if change else None),
        cells.retention(average, footnotes),
        cells.seeds(average),
    ]


def _remarks(average: Average | None) -> Iterator[str]:
    """What a reader of the arm's numbers must know."""
    if average is None:
        return
    yield from average.notes
    if average.not_learnt:
        yield f"not learnt: {', '.join(average.not_learnt)}"
    if average.barely_learnt:
        yield f"barely learnt: {', '.join(average.barely_learnt)}"
    for task, seeds in average.unstable.items():
        yield f"unstable on {task}: not learnt with seed {listed(map(str, seeds))}"
    for task, (answer, share) in average.constant.items():
        yield f"answers '{answer}' in {points(share)}% of {task}"
    if average.at_floor:
        cells = counted(average.cells, "language")
        yield f"{average.at_floor} of {cells} of its tasks at the floor"
