"""What each strategy changes, with its interval: a forest plot, tasks and their average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xharness.gaps import Change
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure, numbers
from xharness.leaderboard.figures.style import INK, QUIET, RULE, look
from xharness.leaderboard.text import signed
from xharness.phrases import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_ROW = 0.23  # inches
_MANY = 48  # rows; beyond them, averages alone


def figure(board: Board) -> Figure | None:
    """None where no change has an interval."""
    models = _models(board, board.tasks)
    if sum(len(model["rows"]) for model in models) > _MANY:
        models = _models(board, ())
    if not any(row["low"] is not None for model in models for row in model["rows"]):
        return None
    averages = [
        f"{signed(row['value'])} ({model['model']}, {row['strategy']})"
        for model in models
        for row in model["rows"]
        if row["task"] is None
    ]
    alt = f"Change of the gap against {board.gaps.baseline}, with intervals, by model and task."
    if averages:
        alt += f" On average over tasks: {listed(averages)}."
    data = {"against": board.gaps.baseline, "strategies": board.strategies, "models": models}
    return Figure("changes", f"Change of the gap against {board.gaps.baseline}", alt, data, draw)


def _models(board: Board, tasks: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"model": model, "rows": rows}
        for model in dict.fromkeys(model for model, _ in board.compared)
        if (rows := _rows(board, model, tasks))
    ]


def _rows(board: Board, model: str, tasks: Sequence[str]) -> list[dict[str, Any]]:
    """The averages first, then task by task, strategies beside each other."""
    strategies = [strategy for other, strategy in board.compared if other == model]
    found = [
        board.gaps.change((model, strategy), task)
        for task in (None, *tasks)
        for strategy in strategies
    ]
    return [_row(one) for one in found if one is not None and one.gap is not None]


def _row(change: Change) -> dict[str, Any]:
    assert change.gap is not None
    return {"task": change.task, "strategy": change.strategy, **numbers(change.gap)}


def draw(canvas: Canvas, data: Any) -> None:
    """A row for each change, from the top; what lies left of the line is a narrower gap."""
    lines, marks = _places(data["models"])
    canvas.set_size_inches(8, 1.1 + _ROW * (len(lines) + len(marks)))
    axes = canvas.subplots()
    axes.axvline(0, color=INK, linewidth=0.8)
    for place, row in lines:
        colour, marker = look(data["strategies"], row["strategy"])
        whole = row["task"] is None
        if row["low"] is not None:
            axes.plot([row["low"], row["high"]], [place, place], color=colour,
                      linewidth=2.4 if whole else 1.2, solid_capstyle="butt")  # fmt: skip
        axes.plot(row["value"], place, color=colour, marker=marker, linestyle="none",
                  markersize=8 if whole else 5)  # fmt: skip
    axes.set_yticks(
        [place for place, _ in (*lines, *marks)],
        [*(row["task"] or "average" for _, row in lines), *(name for _, name in marks)],
    )
    _emphasise(axes.get_yticklabels(), lines)
    axes.set_ylim(lines[-1][0] + 0.8, -0.8)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.set_xlabel(f"← narrower · change of the gap against {data['against']}, points · wider →")
    _legend(canvas, data)


def _places(models: Any) -> tuple[list[tuple[int, Any]], list[tuple[int, str]]]:
    """Where each row and each model's name stands, counted downwards."""
    lines: list[tuple[int, Any]] = []
    marks: list[tuple[int, str]] = []
    place = 0
    for model in models:
        marks.append((place, model["model"]))
        lines += [(place + number, row) for number, row in enumerate(model["rows"], 1)]
        place += len(model["rows"]) + 2
    return lines, marks


def _emphasise(labels: Any, lines: Any) -> None:
    """Models' names and averages in ink, tasks quiet."""
    for label, (_, row) in zip(labels, lines, strict=False):
        label.set_color(INK if row["task"] is None else QUIET)
    for label in labels[len(lines) :]:
        label.set_color(INK)
        label.set_fontweight("bold")


def _legend(canvas: Canvas, data: Any) -> None:
    from matplotlib.lines import Line2D

    shown = {row["strategy"] for model in data["models"] for row in model["rows"]}
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", markersize=6, label=strategy)
        for strategy in data["strategies"]
        if strategy in shown
        for colour, marker in [look(data["strategies"], strategy)]
    ]
    canvas.legend(handles=handles, loc="outside upper left", ncols=6, handletextpad=0.2)
