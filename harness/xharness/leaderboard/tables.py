"""The tables of gaps: all arms on average, and each task."""

from __future__ import annotations

from xharness.gaps import Arm, TaskGap
from xharness.leaderboard import cells
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import (
    Footnotes,
    escape,
    listed,
    parameters,
    plural,
    points,
    ratio,
    table,
)


def arms(board: Board) -> list[str]:
    """Every arm, averaged over the tasks that all of them have."""
    notes = Footnotes()
    against = escape(board.gaps.baseline)
    header = [
        "model", "parameters", "outside embedding", "strategy", "seeds", "tasks", board.source,
        "mean of others", "gap", f"change of gap against {against}", "change of mean",
    ]  # fmt: skip
    rows = [_arm(board, arm, notes) for arm in board.arms]
    tasks = next((one.tasks for one in board.gaps.averages if one.tasks), ())
    over = f"Averages over {plural(len(tasks), 'task')}: {listed(map(escape, tasks))}. "
    intro = (over if tasks else "") + "Points; brackets hold 95% intervals."
    lines = [*table(header, rows, 1), *notes.lines()]
    return ["## Board", "", intro, "", *lines, ""]


def _arm(board: Board, arm: Arm, notes: Footnotes) -> list[str]:
    found, change = board.gaps.average(arm), board.gaps.change(arm)
    total, body = board.sizes.get(arm[0], (None, None))
    why = found.undefined if found is not None else None
    seeds = str(len(found.seeds)) if found is not None and found.seeds else "—"
    said = found.notes if found is not None else ()
    near = [f"near chance on {', '.join(found.near_chance)}"] if found and found.near_chance else []
    return [
        escape(arm[0]),
        parameters(total) + ("" if total else notes.mark("the size is not known")),
        parameters(body) + ("" if body else notes.mark("the size is not known")),
        cells.name(arm[1], notes, *said, *near),
        seeds,
        str(len(found.tasks)) if found is not None else "0",
        cells.number(found.source if found else None, notes, why),
        cells.number(found.mean if found else None, notes, why),
        cells.gap(found, notes),
        cells.change(change, "gap", notes),
        cells.change(change, "mean", notes),
    ]


def by_task(board: Board) -> list[str]:
    """A table for each task."""
    lines = ["## Tasks", ""]
    for task in board.tasks:
        notes = Footnotes()
        header = [
            "model", "strategy", "seeds", board.source, "mean of others", "gap",
            f"change of gap against {escape(board.gaps.baseline)}", "change of mean", "retention",
        ]  # fmt: skip
        rows = [_task_row(board, arm, task, notes) for arm in board.arms]
        lines += [f"### {escape(task)}", "", _about(board, task), ""]
        lines += [*table(header, rows, 2), *notes.lines(), ""]
    return lines


def _task_row(board: Board, arm: Arm, task: str, notes: Footnotes) -> list[str]:
    found, change = board.gaps.task(arm, task), board.gaps.change(arm, task)
    if found is None:
        return [escape(arm[0]), escape(arm[1]), *["—" + notes.mark(cells.SILENT)] * 7]
    return [
        escape(arm[0]),
        cells.name(arm[1], notes, *found.notes),
        str(len(found.seeds)),
        cells.number(found.source, notes, found.undefined, interval=True),
        cells.number(found.mean, notes, found.undefined, interval=True),
        cells.gap(found, notes),
        cells.change(change, "gap", notes),
        cells.change(change, "mean", notes),
        _retention(found, notes),
    ]


def _retention(found: TaskGap, notes: Footnotes) -> str:
    if found.retention is not None:
        return ratio(found.retention)
    why = cells.NEAR if found.near_chance else "chance is not defined for this metric"
    return "—" + notes.mark(found.undefined or why)


def _about(board: Board, task: str) -> str:
    """What the task's numbers are, from its rows."""
    rows = [row for row in board.scores if row.task == task and row.main]
    if not rows:
        return "Nothing was scored."
    first, items = rows[0], {row.n for row in rows}
    count = plural(len({row.language for row in rows}), "language")
    many = str(min(items)) if len(items) == 1 else f"{min(items)} to {max(items)}"
    facts = [
        f"Score: {escape(first.metric)}",
        f"split: {escape(', '.join(sorted({row.split for row in rows})))}",
        f"{count}, {many} items each" + (", the same in all" if first.parallel else ""),
        f"chance: {points(first.chance)}" if first.chance is not None else "chance: not defined",
    ]
    return "; ".join(facts) + "."
