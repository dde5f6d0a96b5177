"""What each language loses against the source language, arm by arm: a heat map."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Any

from xharness.gaps import Arm
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure
from xharness.leaderboard.figures.style import GROUND, QUIET
from xharness.leaderboard.text import points
from xharness.phrases import counted
from xharness.spec.languages import LANGUAGES, name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_COLUMNS = 24  # arms beside each other; beyond it, numbers no longer fit
_WHITE, _BLACK = "#fffffe", "#010101"  # not the ink of the theme: they stand on colours


def figure(board: Board) -> Figure | None:
    """None with fewer than two languages, or with more arms than fit."""
    arms = [*board.compared]
    losses = {code: _losses(board, arms, code) for code in _codes(board, arms)}
    rows: list[dict[str, Any]] = [
        {"code": code, "family": _family(code), "tasks": len(tasks), "losses": own}
        for code, (tasks, own) in losses.items()
        if tasks
    ]
    if len(rows) < 2 or len(arms) > _COLUMNS:
        return None
    means = {row["code"]: fmean(row["losses"]) for row in rows}
    best, worst = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    alt = (
        f"Points lost against {board.source} by language and arm; on average least in "
        f"{name_of(best)} ({points(means[best])}), most in {name_of(worst)} "
        f"({points(means[worst])})."
    )
    data = {"source": board.source, "arms": arms, "rows": rows}
    return Figure("languages", f"Points lost against {board.source}", alt, data, draw)


def _tasks(board: Board, arm: Arm) -> list[Any]:
    return [one for one in board.gaps.tasks if one.arm == arm]


def _codes(board: Board, arms: list[Arm]) -> list[str]:
    """The other languages, families together."""
    codes = {code for arm in arms for one in _tasks(board, arm) for code in one.languages}
    return sorted(codes, key=lambda code: (_family(code), code))


def _family(code: str) -> str:
    return LANGUAGES[code].family if code in LANGUAGES else "other"


def _losses(board: Board, arms: list[Arm], code: str) -> tuple[list[str], list[float]]:
    """The tasks that all arms have in this language, and each arm's mean loss over them."""
    found = [
        {
            one.task: one.source.value - one.scores[code].value
            for one in _tasks(board, arm)
            if one.source is not None and code in one.languages
        }
        for arm in arms
    ]
    common = [task for task in board.tasks if all(task in one for one in found)]
    return common, [fmean(one[task] for task in common) for one in found if common]


def draw(canvas: Canvas, data: Any) -> None:
    """Languages down, arms across; the darker, the more is lost."""
    import matplotlib
    import numpy as np

    rows, arms = data["rows"], data["arms"]
    losses = np.array([row["losses"] for row in rows])
    canvas.set_size_inches(8, 1.3 + 0.22 * len(rows))
    axes = canvas.subplots()
    low, high = min(0.0, losses.min()), max(losses.max(), 1.0)
    colours = matplotlib.colormaps["YlGnBu"]
    axes.pcolormesh(losses, cmap=colours, vmin=low, vmax=high, edgecolors="face", linewidth=0.3)
    for (place, column), loss in np.ndenumerate(losses):
        letters = _letters(colours((loss - low) / (high - low)))
        axes.text(column + 0.5, place + 0.52, points(loss), color=letters, ha="center",
                  va="center", fontsize=8 if len(arms) <= 10 else 6)  # fmt: skip
    axes.set_yticks(np.arange(len(rows)) + 0.5, _names(rows))
    axes.set_xticks(np.arange(len(arms)) + 0.5, ["\n".join(arm) for arm in arms], fontsize=8)
    if len(arms) > 5:
        axes.tick_params(axis="x", rotation=90)
    axes.invert_yaxis()
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    _families(axes, [row["family"] for row in rows])
    axes.set_title(f"points lost against {data['source']}", color=QUIET, fontweight="normal")


def _names(rows: list[Any]) -> list[str]:
    """Each language, with the number of its tasks where the languages differ in it."""
    several = len({row["tasks"] for row in rows}) > 1
    return [
        f"{name_of(row['code'])} {row['code']}"
        + (f" ({counted(row['tasks'], 'task')})" if several else "")
        for row in rows
    ]


def _families(axes: Axes, families: list[str]) -> None:
    """A gap between families, and their names to the right."""
    right = axes.get_xlim()[1]
    for family in dict.fromkeys(families):
        first, count = families.index(family), families.count(family)
        axes.axhline(first, color=GROUND, linewidth=2.5)
        axes.text(right, first + count / 2, f"  {family}", color=QUIET, va="center", fontsize=8)


def _letters(colour: tuple[float, float, float, float]) -> str:
    """Black or white, whichever stands out more (WCAG 2.2, relative luminance)."""
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour[:3]
    )
    return _BLACK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else _WHITE
