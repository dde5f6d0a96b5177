"""Source language and mean of the others, task by task: a dumbbell whose bar is the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure
from xharness.leaderboard.figures.style import GROUND, INK, QUIET, look
from xharness.phrases import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW = 0.21  # inches
_ACROSS = 3


def figure(board: Board) -> Figure | None:
    """None where no task has a gap."""
    every: list[dict[str, Any]] = [
        {"task": task, "rows": [_row(board, arm, task) for arm in board.compared]}
        for task in board.tasks
    ]
    most = max((_gaps(one) for one in every), default=0)
    tasks = [one for one in every if _gaps(one) >= min(2, most)]
    if not most:
        return None
    names = listed(one["task"] for one in tasks)
    alt = f"{board.source} score and mean of the other languages, joined by the gap, on {names}."
    data = {"source": board.source, "strategies": board.strategies, "tasks": tasks}
    return Figure("tasks", f"{board.source} and the other languages", alt, data, draw)


def _gaps(task: dict[str, Any]) -> int:
    """How many arms have a gap there: a task of one arm compares nothing."""
    return sum(row["source"] is not None for row in task["rows"])


def _row(board: Board, arm: tuple[str, str], task: str) -> dict[str, Any]:
    found = board.gaps.task(arm, task)
    both = found is not None and found.source is not None and found.mean is not None
    return {
        "model": arm[0],
        "strategy": arm[1],
        "source": found.source.value if both and found and found.source else None,
        "mean": found.mean.value if both and found and found.mean else None,
    }


def draw(canvas: Canvas, data: Any) -> None:
    """A panel for each task, a line for each arm; filled is the source language."""
    tasks = data["tasks"]
    across = min(_ACROSS, len(tasks))
    down = -(-len(tasks) // across)
    rows = tasks[0]["rows"]
    places = _places(rows)
    canvas.set_size_inches(8, 0.9 + down * (0.75 + _ROW * (places[-1] + 1)))
    grid = canvas.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes, task in zip(grid.flat, tasks, strict=False):
        _panel(axes, task, places, data["strategies"])
    for axes in grid.flat[len(tasks) :]:
        axes.set_visible(False)
    canvas.supxlabel("score, points", fontsize=9, color=QUIET)
    _legend(canvas, data)


def _places(rows: Any) -> list[float]:
    """Downwards; a model's arms stand together."""
    place, places = -1.0, []
    for number, row in enumerate(rows):
        place += 1.0 if number and rows[number - 1]["model"] == row["model"] else 1.6
        places.append(place)
    return [one - places[0] for one in places]


def _panel(axes: Axes, task: Any, places: list[float], strategies: Any) -> None:
    for place, row in zip(places, task["rows"], strict=True):
        if row["source"] is None:
            continue
        colour, marker = look(strategies, row["strategy"])
        axes.plot([row["mean"], row["source"]], [place, place], color=colour, linewidth=1.6)
        axes.plot(row["source"], place, color=colour, marker=marker, markersize=6)
        axes.plot(row["mean"], place, color=colour, marker=marker, markersize=6,
                  markerfacecolor=GROUND)  # fmt: skip
    axes.set_title(task["task"])
    axes.set_xlim(-3, 103)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_ylim(places[-1] + 0.7, -0.7)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    names = [row["model"] for row in task["rows"]]
    middle = {
        name: [place for place, other in zip(places, names, strict=True) if other == name]
        for name in dict.fromkeys(names)
    }
    axes.set_yticks([sum(one) / len(one) for one in middle.values()], [*middle])
    for label in axes.get_yticklabels():
        label.set_color(INK)


def _legend(canvas: Canvas, data: Any) -> None:
    """What colours and fillings stand for."""
    from matplotlib.lines import Line2D

    shown = {row["strategy"] for row in data["tasks"][0]["rows"]}
    handles = [
        Line2D([], [], color=colour, marker=marker, linewidth=1.6, markersize=6, label=strategy)
        for strategy in data["strategies"]
        if strategy in shown
        for colour, marker in [look(data["strategies"], strategy)]
    ]
    for label, filling in ((data["source"], QUIET), ("mean of the others", GROUND)):
        handles.append(Line2D([], [], color=QUIET, marker="o", linestyle="none", markersize=6,
                              markerfacecolor=filling, label=label))  # fmt: skip
    canvas.legend(handles=handles, loc="outside upper left", ncols=6, handletextpad=0.4)
