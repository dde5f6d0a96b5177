"""Gap, and its change against the baseline, over model size: the question in one picture."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from xharness.gaps import Arm, Average, Change, TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure, numbers
from xharness.leaderboard.figures.style import INK, QUIET, look
from xharness.leaderboard.text import parameters, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_DODGE = 1.06  # strategies of one model stand beside each other by this factor of its size
_APART = 1.3  # factor between sizes whose models' names don't touch
_NAMED = 6  # models whose names fit beside their points


def figure(board: Board) -> Figure | None:
    """None with fewer than two sizes, on average and on every task."""
    task = _task(board)
    gaps = _gaps(board, task)
    if len({one["size"] for one in gaps}) < 2:
        return None
    changes = _points(board, lambda arm: board.gaps.change(arm, task))
    on = "" if task is None else f" on {task}"
    panels = [(f"gap{on}, points", gaps, _trends(board, "gap", task))]
    if changes:
        told = f"change of gap against {board.gaps.baseline}{on}, points"
        panels.append((told, changes, _trends(board, "change", task)))
    low, high = min(gaps, key=_value), max(gaps, key=_value)
    alt = (
        f"The gap of {len(gaps)} arms{on} against parameters outside the embedding, from "
        f"{points(_value(low))} ({low['model']}, {low['strategy']}, {parameters(low['size'])}) to "
        f"{points(_value(high))} ({high['model']}, {high['strategy']}, {parameters(high['size'])})."
    )
    data = {"strategies": board.strategies, "panels": panels}
    return Figure("size", "Gap against model size", alt, data, draw)


def _value(point: dict[str, Any]) -> float:
    return float(point["value"])


def _task(board: Board) -> str | None:
    """None for the average; where averages are of one size, the task of the most sizes."""
    choices = (None, *board.tasks)
    sizes = {task: len({one["size"] for one in _gaps(board, task)}) for task in choices}
    return None if sizes[None] > 1 else max(choices, key=sizes.__getitem__)


def _gaps(board: Board, task: str | None) -> list[dict[str, Any]]:
    if task is None:
        return _points(board, board.gaps.average)
    return _points(board, lambda arm: _of_first_pool(board, board.gaps.task(arm, task)))


def _of_first_pool(board: Board, found: TaskGap | None) -> TaskGap | None:
    """A gap that may stand beside the others: of the protocol and provenance that trends are of."""
    pool = next(iter(board.gaps.pools), None)
    if found is None or pool is None:
        return found
    alike = (found.provenance, found.protocol) == (pool.provenance, pool.protocol)
    return found if alike else None


def _points(
    board: Board, find: Callable[[Arm], TaskGap | Average | Change | None]
) -> list[dict[str, Any]]:
    """What `find` knows of each arm whose model has a known size."""
    return [
        {"model": model, "strategy": strategy, "size": size, **numbers(found.gap)}
        for model, strategy in board.compared
        if (found := find((model, strategy))) is not None
        and found.gap is not None
        and (size := board.sizes.get(model, (None, None))[1])
    ]


def _trends(board: Board, of: str, task: str | None) -> dict[str, Any]:
    """Strategy to the slope of its pooled trend, which is over the tasks of the average."""
    if task is not None:
        return {}
    return {
        one.strategy: numbers(one.slope)
        for one in board.gaps.trends
        if one.of == of and one.axis == "non-embedding" and not one.family and one.slope
    }


def draw(canvas: Canvas, data: Any) -> None:
    """A panel for the gap and one for its change; whiskers are 95% intervals."""
    panels, strategies = data["panels"], data["strategies"]
    canvas.set_size_inches(8, 3.6)
    for axes, (label, shown, trends) in zip(
        canvas.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        axes.set_xscale("log")
        axes.grid(axis="y")
        axes.set_title(label)
        if any(one["value"] < 0 for one in shown) or "change" in label:
            axes.axhline(0, color=INK, linewidth=0.8)
        for strategy in dict.fromkeys(one["strategy"] for one in shown):
            own = [one for one in shown if one["strategy"] == strategy]
            _strategy(axes, own, strategies, trends.get(strategy))
        _sizes(axes, [one["size"] for one in shown])
        _names(axes, shown)
    canvas.supxlabel("parameters outside the embedding", fontsize=9, color=QUIET)
    handles, labels = canvas.axes[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper left", ncols=6, handletextpad=0.2)


def _strategy(axes: Axes, own: list[Any], strategies: Any, trend: Any) -> None:
    colour, marker = look(strategies, own[0]["strategy"])
    shift = _DODGE ** (strategies.index(own[0]["strategy"]) - (len(strategies) - 1) / 2)
    sizes, values = [one["size"] * shift for one in own], [one["value"] for one in own]
    whiskers = [
        [one["value"] - (one["value"] if one["low"] is None else one["low"]) for one in own],
        [(one["value"] if one["high"] is None else one["high"]) - one["value"] for one in own],
    ]
    axes.errorbar(
        sizes, values, yerr=whiskers, color=colour, marker=marker, linestyle="none",
        markersize=6, elinewidth=1.4, label=own[0]["strategy"],
    )  # fmt: skip
    if trend is not None:
        _line(axes, own, trend, colour)


def _line(axes: Axes, own: list[Any], slope: Any, colour: str) -> None:
    """The trend through the middle of the points; between its interval's slopes, a shade."""
    import numpy as np

    doublings = np.log2([one["size"] for one in own])
    middle, height = doublings.mean(), np.mean([one["value"] for one in own])
    along = np.linspace(doublings.min(), doublings.max(), 33)
    lines = {
        name: height + slope[name] * (along - middle)
        for name in ("value", "low", "high")
        if slope[name] is not None
    }
    axes.plot(2**along, lines["value"], color=colour, linewidth=1.6)
    if len(lines) == 3:
        edges = np.sort([lines["low"], lines["high"]], axis=0)
        axes.fill_between(2**along, *edges, color=colour, alpha=0.13, linewidth=0)


def _sizes(axes: Axes, sizes: list[int]) -> None:
    """Round sizes along the axis, few enough to read."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    low, high = min(sizes) / 1.6, max(sizes) * 1.6
    steps = (1, 2, 5) if high / low < 50 else (1, 3) if high / low < 2000 else (1,)
    ticks = [
        step * 10**power for power in range(13) for step in steps if low <= step * 10**power <= high
    ]
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(ticks, [parameters(tick).replace(".0", "") for tick in ticks])


def _names(axes: Axes, shown: list[Any]) -> None:
    """Each model's name above its highest point, while they are few and apart."""
    models = dict.fromkeys(one["model"] for one in shown)
    sizes = sorted({one["model"]: one["size"] for one in shown}.values())
    if len(models) > _NAMED or any(b < a * _APART for a, b in pairwise(sizes)):
        return
    axes.margins(y=0.15)
    for model in models:
        own = [one for one in shown if one["model"] == model]
        top = max(one["value"] if one["high"] is None else one["high"] for one in own)
        axes.annotate(
            model, (own[0]["size"], top), (0, 5), textcoords="offset points", ha="center",
            fontsize=8, color=QUIET,
        )  # fmt: skip
