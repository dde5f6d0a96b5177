"""What each language loses against the source language, arm by arm: a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from xharness.gaps import ArmName
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure, FigureRow, groups
from xharness.leaderboard.figures.style import GROUND, INK, QUIET
from xharness.leaderboard.text import points, shortened
from xharness.phrases import counted
from xharness.spec.languages import find_language, name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_COLUMNS = 18  # arms beside each other; beyond it, numbers no longer fit
_WHITE, _BLACK = "#fffffe", "#010101"  # not the ink of the theme: they stand on colours


def figure(board: Board) -> Figure | None:
    """None with fewer than two languages that all columns share."""
    columns = _columns(board)
    losses = {code: _losses(board, columns, code) for code in _codes(board)}
    rows: list[dict[str, Any]] = [
        {"code": code, "family": _family(code), "tasks": len(tasks), "losses": values}
        for code, (tasks, values) in losses.items()
        if tasks
    ]
    if len(rows) < 2:
        return None
    means = {row["code"]: fmean(row["losses"]) for row in rows}
    best, worst = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    alt = (
        f"Points lost against {board.source_name} by language and arm; on average least in "
        f"{name_of(best)} ({points(means[best])}), most in {name_of(worst)} "
        f"({points(means[worst])})."
    )
    data = {"source": board.source_name, "columns": [name for name, _ in columns], "rows": rows}
    return Figure("languages", f"Points lost against {board.source_name}", alt, data, draw)


def _columns(board: Board) -> list[tuple[tuple[str, str], list[ArmName]]]:
    """Model and strategy over each column, the baseline first, and the arms behind it."""
    return [
        (_over_column(group, row), row.arms)
        for group, rows in groups(board, board.arms_with_gap, _COLUMNS).items()
        for row in rows[:_COLUMNS]
    ]


def _over_column(group: str, row: FigureRow) -> tuple[str, str]:
    """Model and strategy; where models are the rows of one strategy, it stands below them."""
    return (group, row.label) if row.label == row.strategy else (row.strategy, row.label)


def _codes(board: Board) -> list[str]:
    """The other languages, families together."""
    compared = {*board.arms_with_gap}
    codes = {
        code
        for (arm, _), task_gap in board.task_gaps.items()
        if arm in compared
        for code in task_gap.languages
    }
    return sorted(codes, key=lambda code: (_family(code), code))


def _family(code: str) -> str:
    known = find_language(code)
    return known.family if known is not None and known.family else "other"


def _losses(
    board: Board, columns: Sequence[tuple[tuple[str, str], list[ArmName]]], code: str
) -> tuple[list[str], list[float]]:
    """The tasks that all columns have in this language, and each column's mean loss over them."""
    losses_by_column = [
        {
            task: value
            for task in board.tasks
            if (value := _loss(board, arms, task, code)) is not None
        }
        for _, arms in columns
    ]
    # A mean over other tasks in the next column would show the tasks, not the arms.
    common = [task for task in board.tasks if all(task in losses for losses in losses_by_column)]
    return common, [fmean(losses[task] for task in common) for losses in losses_by_column if common]


def _loss(board: Board, arms: Sequence[ArmName], task: str, code: str) -> float | None:
    """The source score minus the language's, meaned over the arms that have both."""
    losses = [
        task_gap.source.value - task_gap.scores[code].value
        for arm in arms
        if (task_gap := board.task_gaps.get((arm, task))) is not None
        and task_gap.source is not None
        and code in task_gap.languages
        and code in task_gap.scores
    ]
    return fmean(losses) if losses else None


def draw(canvas: Canvas, data: Any) -> None:
    """Languages down, arms across; the darker, the more is lost."""
    import matplotlib
    import numpy as np

    rows, columns = data["rows"], data["columns"]
    losses = np.array([row["losses"] for row in rows])
    canvas.set_size_inches(8, 2.3 + 0.22 * len(rows))
    axes = canvas.subplots()
    # The scale begins at nothing lost, or at the largest gain, and always has a width.
    low, high = min(0.0, losses.min()), max(losses.max(), 1.0)
    colours = matplotlib.colormaps["YlGnBu"]
    axes.pcolormesh(losses, cmap=colours, vmin=low, vmax=high, edgecolors="face", linewidth=0.3)
    for (index, column), loss in np.ndenumerate(losses):
        letters = _letters(colours((loss - low) / (high - low)))
        axes.text(column + 0.5, index + 0.52, points(loss), color=letters, ha="center",
                  va="center", fontsize=8 if len(columns) <= 10 else 6.5)  # fmt: skip
    axes.set_yticks(np.arange(len(rows)) + 0.5, _names(rows))
    _heads(axes, columns)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    _families(axes, [row["family"] for row in rows])
    caption = f"points lost against {data['source']}; the darker, the more"
    canvas.supxlabel(caption, fontsize=9, color=QUIET)


def _heads(axes: Axes, columns: list[tuple[str, str]]) -> None:
    """Strategies over their columns, each model once over its own."""
    import numpy as np

    slanted = len(columns) > 6 or max(len(strategy) for _, strategy in columns) > 14
    axes.xaxis.tick_top()
    axes.set_xticks(
        np.arange(len(columns)) + 0.5, [shortened(strategy, 24) for _, strategy in columns],
        fontsize=8, color=INK, rotation=40 if slanted else 0, ha="left" if slanted else "center",
        rotation_mode="anchor" if slanted else "default",
    )  # fmt: skip
    models = [model for model, _ in columns]
    for model in dict.fromkeys(models):
        first, count = models.index(model), models.count(model)
        # A narrow group has room for a few letters a column, or it would lie on its neighbour's.
        name = shortened(model, max(8, int(count * 78 / len(columns))))
        axes.text(first + count / 2, -0.02, name, transform=axes.get_xaxis_transform(), ha="center",
                  va="top", fontsize=8.5, fontweight="bold", color=INK)  # fmt: skip
        if first:
            axes.axvline(first, color=GROUND, linewidth=3)


def _names(rows: list[Any]) -> list[str]:
    """Each language, with the number of its tasks where the languages differ in it."""
    task_counts_differ = len({row["tasks"] for row in rows}) > 1
    return [
        f"{name_of(row['code'])} {row['code']}"
        + (f" ({counted(row['tasks'], 'task')})" if task_counts_differ else "")
        for row in rows
    ]


def _families(axes: Axes, families: list[str]) -> None:
    """A gap between families, and their names to the right."""
    right = axes.get_xlim()[1]
    for family in dict.fromkeys(families):
        first, count = families.index(family), families.count(family)
        axes.axhline(first, color=GROUND, linewidth=2.5)
        axes.annotate(family, (right, first + count / 2), (6, 0), textcoords="offset points",
                      color=QUIET, va="center", fontsize=8)  # fmt: skip


def _letters(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever stands out more (WCAG 2.2, relative luminance)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]
    )
    return _BLACK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else _WHITE
