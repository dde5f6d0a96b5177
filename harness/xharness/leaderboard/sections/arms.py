"""The tables of gaps: all arms on average, and each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xharness.gaps import Arm, Average, Pool, TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import Footnotes, escape, parameters, table
from xharness.phrases import counted, listed


def section(board: Board) -> list[str]:
    """Every arm, averaged over the tasks that all arms of its pool have; a table for each pool."""
    lines = ["## Board", ""]
    pools = board.gaps.pools or (Pool("measured", "fine-tuned", (), (), {}, {}),)
    silent = [arm for arm in board.arms if not any(arm in pool.arms for pool in pools)]
    for pool in pools:
        if len(pools) > 1:
            lines += [f"### {escape(f'{pool.provenance}, {pool.protocol}'.capitalize())}", ""]
        own = [
            arm for arm in board.arms if arm in (*pool.arms, *(silent if pool is pools[0] else ()))
        ]
        lines += _pool(board, pool, own)
    return lines


def _pool(board: Board, pool: Pool, own: Sequence[Arm]) -> list[str]:
    if not pool.tasks and (found := _gaps_of(board, pool)):
        return _task_by_task(board, found, own)
    notes = Footnotes()
    header = [
        "model", "parameters", "outside embedding", "strategy", board.source,
        "mean of others", "gap", f"change of gap against {escape(board.gaps.baseline)}",
        "change of mean", "detectable", "relative gap", "place", "seeds",
    ]  # fmt: skip
    rows = [_arm(board, pool, arm, notes) for arm in own]
    tasks = f"{counted(len(pool.tasks), 'task')}: {listed(map(escape, pool.tasks))}"
    over = f"Averages over {tasks}. " if pool.tasks else ""
    intro = f"{over}Points; brackets hold 95% intervals."
    return [intro, "", *table(header, rows, 1), *notes.lines(), ""]


def _gaps_of(board: Board, pool: Pool) -> dict[tuple[Arm, str], TaskGap]:
    """The gaps of the pool's arms, by arm and task."""
    kind = (pool.provenance, pool.protocol)
    return {
        (one.arm, one.task): one
        for one in board.gaps.tasks
        if one.gap is not None and (one.provenance, one.protocol) == kind
    }


def _task_by_task(
    board: Board, found: Mapping[tuple[Arm, str], TaskGap], own: Sequence[Arm]
) -> list[str]:
    """The gaps of arms that share no task, so that there is nothing to average over."""
    notes = Footnotes()
    known = {task for _, task in found}
    tasks = [task for task in board.tasks if task in known]
    header = ["model", "parameters", "outside embedding", "strategy", *map(escape, tasks)]
    rows = [
        [escape(arm[0]), *_sizes(board, arm, notes), escape(arm[1])]
        + [cells.gap(one, notes) if (one := found.get((arm, task))) else "—" for task in tasks]
        for arm in own
    ]
    intro = (
        "No task has a gap for every one of these arms, so there is no average: here are their "
        "gaps, task by task. Points; brackets hold 95% intervals."
    )
    return [intro, "", *table(header, rows, 1), *notes.lines(), ""]


def _sizes(board: Board, arm: Arm, notes: Footnotes) -> list[str]:
    """All parameters, and those outside the embedding."""
    return [
        parameters(size) + ("" if size else notes.mark("the size is not known"))
        for size in board.sizes.get(arm[0], (None, None))
    ]


def _average(board: Board, pool: Pool, arm: Arm) -> Average | None:
    """The arm over the tasks of the pool; the reason why not, where it is in none."""
    kind = (pool.provenance, pool.protocol)
    found = [one for one in board.gaps.averages if one.arm == arm]
    own = (one for one in found if (one.provenance, one.protocol) == kind)
    return next(own, next(iter(found), None) if arm not in pool.arms else None)


def _arm(board: Board, pool: Pool, arm: Arm, notes: Footnotes) -> list[str]:
    found = _average(board, pool, arm)
    change = board.gaps.change(arm) if found is board.gaps.average(arm) else None
    why = found.undefined if found is not None else None
    seeds = cells.seeds(found) if found is not None and found.seeds else "—"
    said = found.notes if found is not None else ()
    near = [f"near chance on {', '.join(found.near_chance)}"] if found and found.near_chance else []
    return [
        escape(arm[0]),
        *_sizes(board, arm, notes),
        cells.name(arm[1], notes, *said, *near),
        cells.number(found.source if found else None, notes, why),
        cells.number(found.mean if found else None, notes, why),
        cells.gap(found, notes),
        cells.change(change, "gap", notes),
        cells.change(change, "mean", notes),
        cells.detectable(change),
        cells.relative(found, notes),
        cells.place(found),
        seeds,
    ]
