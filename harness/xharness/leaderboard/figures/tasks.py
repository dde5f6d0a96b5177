"""Source language and the others, task by task: a dumbbell whose bar is the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import (
    Figure,
    FigureRow,
    RowGroups,
    groups,
    mean_value,
    row_positions,
)
from xharness.leaderboard.figures.style import BASELINE, COMPARED, GROUND, INK, QUIET
from xharness.phrases import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW_HEIGHT = 0.2  # inches
_ACROSS = 3  # panels in a row
_ON_GROUND = {"facecolor": GROUND, "edgecolor": "none", "pad": 1.0}


def figure(board: Board) -> Figure | None:
    """None where no task has a gap."""
    row_groups = groups(board, board.arms_with_gap)
    tasks: list[dict[str, Any]] = [
        {"task": task, "floor": _floor(board, task), "groups": _groups(board, row_groups, task)}
        for task in board.tasks
    ]
    arm_count = max((_count(task) for task in tasks), default=0)
    tasks = [task for task in tasks if _count(task) >= min(2, arm_count)]
    if not arm_count:
        return None
    names = listed(task["task"] for task in tasks)
    alt = (
        f"{board.source_name} score and mean of the other languages, joined by the gap, on {names}."
    )
    data = {"source": board.source_name, "baseline": board.gaps.baseline, "tasks": tasks}
    return Figure("tasks", f"{board.source_name} and the others", alt, data, draw)


def _count(task: dict[str, Any]) -> int:
    """How many arms have a gap there: a task of one arm compares nothing."""
    return sum(row["source"] is not None for group in task["groups"] for row in group["rows"])


def _groups(board: Board, row_groups: RowGroups, task: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "rows": [_row(board, row, task) for row in rows]}
        for name, rows in row_groups.items()
    ]


def _row(board: Board, row: FigureRow, task: str) -> dict[str, Any]:
    task_gaps = [board.task_gaps.get((arm, task)) for arm in row.arms]
    defined = [
        task_gap for task_gap in task_gaps if task_gap is not None and task_gap.gap is not None
    ]
    return {
        "name": row.label,
        "baseline": row.strategy == board.gaps.baseline,
        "source": mean_value(task_gap.source for task_gap in defined),
        "others": mean_value(task_gap.others for task_gap in defined),
        "learnt": all(task_gap.learning.passed for task_gap in defined),
    }


def _floor(board: Board, task: str) -> float | None:
    """What answering blindly gets in the source language, where arms agree on it."""
    floors = {
        task_gap.learning.floor
        for arm in board.arms_with_gap
        if (task_gap := board.task_gaps.get((arm, task))) is not None
    } - {None}
    return floors.pop() if len(floors) == 1 else None


def draw(canvas: Canvas, data: Any) -> None:
    """A panel for each task, a line for each arm; thin lines go down from the model's baseline."""
    tasks = data["tasks"]
    # Four as two by two: a panel alone in its row looks like an afterthought.
    across = 2 if len(tasks) == 4 else min(_ACROSS, len(tasks))
    # Rounded up.
    down = -(-len(tasks) // across)
    positions = row_positions([len(group["rows"]) for group in tasks[0]["groups"]], 0.6)
    canvas.set_size_inches(8, 0.75 + down * (0.65 + _ROW_HEIGHT * (positions[-1][-1] + 1.2)))
    grid = canvas.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes, task in zip(grid.flat, tasks, strict=False):
        _panel(axes, task, positions)
    for axes in grid.flat[len(tasks) :]:
        axes.set_visible(False)
    # A shared axis has its labels in the last row alone, which may be empty in some columns.
    for axes in grid.flat[max(0, len(tasks) - across) : len(tasks)]:
        axes.tick_params(labelbottom=True)
    canvas.supxlabel("score, points", fontsize=9, color=QUIET)
    _legend(canvas, data)


def _panel(axes: Axes, task: Any, positions: list[list[float]]) -> None:
    for group, heights in zip(task["groups"], positions, strict=True):
        is_compared = not all(row["baseline"] for row in group["rows"])
        for y, row in zip(heights[1:], group["rows"], strict=True):
            if row["source"] is not None and row["baseline"] and is_compared:
                _reference(axes, row, heights)
            _dumbbell(axes, y, row, BASELINE if row["baseline"] else COMPARED)
    if task["floor"] is not None:
        axes.axvline(task["floor"], color=QUIET, linewidth=1, linestyle=(0, (1, 2)))
    axes.set_title(task["task"])
    axes.set_xlim(-3, 103)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_ylim(positions[-1][-1] + 0.7, -0.7)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    _names(axes, task["groups"], positions)


def _reference(axes: Axes, row: Any, heights: list[float]) -> None:
    """The baseline's two scores, down through the rows of its model."""
    for value in (row["source"], row["others"]):
        axes.plot([value, value], [heights[1], heights[-1] + 0.4], color=BASELINE, linewidth=0.8,
                  alpha=0.6)  # fmt: skip


def _dumbbell(axes: Axes, y: float, row: Any, colour: str) -> None:
    if row["source"] is None:
        axes.text(0, y, "no gap", color=QUIET, fontsize=7, va="center", bbox=_ON_GROUND)
        return
    alpha = 1.0 if row["learnt"] else 0.4
    axes.plot([row["others"], row["source"]], [y, y], color=colour, linewidth=1.6,
              alpha=alpha)  # fmt: skip
    for value, filling in ((row["source"], colour), (row["others"], GROUND)):
        axes.plot(value, y, color=colour, marker="o", markersize=5.5, markerfacecolor=filling,
                  alpha=alpha)  # fmt: skip


def _names(axes: Axes, groups_drawn: Any, positions: list[list[float]]) -> None:
    ticks = [y for heights in positions for y in heights]
    names = [
        name
        for group in groups_drawn
        for name in (group["name"], *(row["name"] for row in group["rows"]))
    ]
    axes.set_yticks(ticks, names)
    titles = {heights[0] for heights in positions}
    # Panels to the right share the labels of the first and have none.
    for label, tick in zip(axes.get_yticklabels(), ticks, strict=False):
        label.set_color(INK)
        label.set_fontweight("bold" if tick in titles else "normal")


def _legend(canvas: Canvas, data: Any) -> None:
    """What colours, fillings and lines stand for."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=QUIET, marker="o", linestyle="none", markersize=5.5,
               markerfacecolor=filling, label=label)
        for label, filling in ((data["source"], QUIET), (columns.OTHERS, GROUND))
    ]  # fmt: skip
    rows = [row for task in data["tasks"] for group in task["groups"] for row in group["rows"]]
    is_comparison = not all(row["baseline"] for row in rows)
    base = data["baseline"]
    names = [(f"{base} (thin lines: its scores)" if is_comparison else base, BASELINE)]
    lines = [
        Line2D([], [], color=colour, linewidth=1.6, label=label)
        for label, colour in [*names, *([("other strategies", COMPARED)] if is_comparison else [])]
    ]
    if any(not row["learnt"] for row in rows):
        lines.append(Line2D([], [], color=COMPARED, linewidth=1.6, alpha=0.4, label="not learnt"))
    if any(task["floor"] is not None for task in data["tasks"]):
        lines.append(Line2D([], [], color=QUIET, linewidth=1, linestyle=(0, (1, 2)),
                            label="answering blindly"))  # fmt: skip
    canvas.legend(handles=[*marks, *lines], loc="outside upper left", ncols=6, handletextpad=0.4,
                  columnspacing=1.4, fontsize=8)  # fmt: skip
