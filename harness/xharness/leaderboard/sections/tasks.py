"""A table of gaps for each task."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.gaps import TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import Footnotes, escape, language, points, ratio, table
from xharness.phrases import counted


def section(board: Board, figure: Sequence[str] = ()) -> list[str]:
    """A table for each task."""
    lines = ["## Tasks", "", *figure]
    for task in board.tasks:
        notes = Footnotes()
        header = [
            "model", "strategy", board.source, "mean of others", "gap",
            f"change of gap against {escape(board.gaps.baseline)}", "change of mean",
            "detectable", "relative gap", "retention", "lowest", "seeds",
        ]  # fmt: skip
        rows = [_task_row(board, found, notes) for found in board.on(task).values()]
        lines += [f"### {escape(task)}", "", _about(board, task), ""]
        lines += [*table(header, rows, 2), *notes.lines(), ""]
    return lines


def _task_row(board: Board, found: TaskGap, notes: Footnotes) -> list[str]:
    arm, task = found.arm, found.task
    change = board.gaps.change(arm, task)
    return [
        escape(arm[0]),
        cells.name(arm[1], notes, *board.publications.get((*arm, task), ()), *found.notes),
        cells.number(found.source, notes, found.undefined, interval=True),
        cells.number(found.mean, notes, found.undefined, interval=True),
        cells.gap(found, notes),
        cells.change(change, "gap", notes),
        cells.change(change, "mean", notes),
        cells.detectable(change),
        cells.relative(found, notes),
        _retention(found, notes),
        language(found.worst) if found.worst else "—",
        cells.seeds(found),
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
    first, items = rows[0], {row.n for row in rows if row.n is not None}
    count = counted(len({row.language for row in rows}), "language")
    many = f"{min(items)} to {max(items)}" if len(items) > 1 else str(*items or ("?",))
    facts = [
        f"Score: {escape(first.metric)}",
        f"split: {escape(', '.join(sorted({row.split for row in rows})))}",
        f"{count}, {many} items each" + (", the same in all" if first.parallel else ""),
        f"chance: {points(first.chance)}" if first.chance is not None else "chance: not defined",
    ]
    return "; ".join(facts) + "."
