"""The gap over model size: a panel a strategy, the baseline's points in each of them."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from math import log
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from xharness.gaps import ArmName, Estimate
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure, estimate_values
from xharness.leaderboard.figures.style import BASELINE, COMPARED, GROUND, QUIET
from xharness.leaderboard.text import parameters, points, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ACROSS = 3  # panels in a row: more would be too narrow for names along the axis
_PANELS = 12  # strategies, those of the most models first
_NAMED = 8  # models whose names fit along the axis
_APART = 0.256  # share of the axis between neighbours whose names don't touch
_ASIDE = 1.025  # so many times its size lies a mark beside that of the other strategy
_NAME = 14  # letters of a line of a name along the axis


def figure(board: Board) -> Figure | None:
    """None with fewer than two sizes, on average and on every task."""
    task = _task(board)
    gaps = _points(board, task)
    if len({point["size"] for point in gaps}) < 2:
        return None
    on_task = "" if task is None else f" on {task}"
    low, high = min(gaps, key=_value), max(gaps, key=_value)
    alt = (
        f"The gap of {len(gaps)} arms{on_task} against parameters outside the embedding, from "
        f"{points(_value(low))} ({low['model']}, {low['strategy']}, {parameters(low['size'])}) to "
        f"{points(_value(high))} ({high['model']}, {high['strategy']}, {parameters(high['size'])})."
    )
    data = {
        "baseline": board.gaps.baseline,
        "title": f"{columns.GAP}{on_task}, points",
        "points": gaps,
        "panels": _panels(board, gaps),
        "trends": _trends(board) if task is None else {},
    }
    return Figure("size", "Gap against model size", alt, data, draw)


def _value(point: dict[str, Any]) -> float:
    return float(point["gap"]["value"])


def _task(board: Board) -> str | None:
    """None for the average; where averages are of one size, the task of the most sizes."""
    choices = (None, *board.tasks)
    sizes = {task: len({point["size"] for point in _points(board, task)}) for task in choices}
    return None if sizes[None] > 1 else max(choices, key=sizes.__getitem__)


def _points(board: Board, task: str | None) -> list[dict[str, Any]]:
    """The gap of each arm whose model has a known size."""
    return [
        {"model": arm.model, "strategy": arm.strategy, "size": size, "gap": estimate_values(gap)}
        for arm in board.arms_with_gap
        if (gap := _gap(board, arm, task)) is not None
        and (size := board.size_of(arm.model).non_embedding)
    ]


def _gap(board: Board, arm: ArmName, task: str | None) -> Estimate | None:
    measured = board.averages.get(arm) if task is None else board.task_gaps.get((arm, task))
    if measured is None or board.pool is None:
        return None
    in_first_pool = (measured.provenance, measured.protocol) == (
        board.pool.provenance,
        board.pool.protocol,
    )
    return measured.gap if in_first_pool else None


def _panels(board: Board, gaps: list[dict[str, Any]]) -> list[str]:
    """The strategies beside the baseline; it alone where there is nothing else."""
    counts = {
        strategy: len({point["size"] for point in gaps if point["strategy"] == strategy})
        for strategy in board.strategies
    }
    compared = [name for name in board.strategies if counts[name] and name != board.gaps.baseline]
    with_two_sizes = [name for name in compared if counts[name] > 1]
    return (with_two_sizes or compared or [board.gaps.baseline])[:_PANELS]


def _trends(board: Board) -> dict[str, Any]:
    """Strategy to the slope of its gap where it is told from zero: else a line would mislead."""
    return {
        trend.strategy: estimate_values(trend.slope)
        for trend in board.gaps.trends
        if trend.of == "gap"
        and trend.axis == "non-embedding"
        and trend.slope is not None
        and trend.word in ("narrower", "wider")
    }


def draw(canvas: Canvas, data: Any) -> None:
    """Baseline and strategy side by side; whiskers are 95% intervals."""
    panels = data["panels"]
    across = min(_ACROSS, len(panels))
    # Rounded up.
    down = -(-len(panels) // across)
    canvas.set_size_inches(8, 0.55 + 2.3 * down)
    grid = canvas.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes, strategy in zip(grid.flat, panels, strict=False):
        _panel(axes, data, strategy)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid.flat[max(0, len(panels) - across) : len(panels)]:
        axes.tick_params(labelbottom=True)
    canvas.supylabel(data["title"], fontsize=9, color=QUIET)
    canvas.supxlabel("parameters outside the embedding", fontsize=9, color=QUIET)
    _legend(canvas, data)


def _panel(axes: Axes, data: Any, strategy: str) -> None:
    axes.set_xscale("log")
    axes.grid(axis="y")
    if any(point["gap"]["value"] < 0 for point in data["points"]):
        axes.axhline(0, color=QUIET, linewidth=0.8)
    names = dict.fromkeys((data["baseline"], strategy))
    for name in names:
        own_points = [point for point in data["points"] if point["strategy"] == name]
        is_baseline = name == data["baseline"]
        # Beside each other, or one whisker would hide the other.
        shift = 1.0 if len(names) == 1 else 1 / _ASIDE if is_baseline else _ASIDE
        _series(axes, own_points, BASELINE if is_baseline else COMPARED, shift, hollow=is_baseline)
        if name in data["trends"] and len(own_points) > 1:
            _line(axes, own_points, data["trends"][name], BASELINE if is_baseline else COMPARED)
    axes.set_title(shortened(strategy, 26), fontsize=9.5)
    names_fit = _axis(axes, data["points"])
    if not names_fit and len(data["panels"]) == 1:
        _names(axes, [point for point in data["points"] if point["strategy"] in names])


def _series(axes: Axes, series: Any, colour: str, shift: float, *, hollow: bool) -> None:
    if not series:
        return
    gaps = [point["gap"] for point in series]
    whiskers = [
        [gap["value"] - (gap["value"] if gap["low"] is None else gap["low"]) for gap in gaps],
        [(gap["value"] if gap["high"] is None else gap["high"]) - gap["value"] for gap in gaps],
    ]
    axes.errorbar(
        [point["size"] * shift for point in series], [gap["value"] for gap in gaps],
        yerr=whiskers, color=colour, marker="o", linestyle="none", markersize=5.5,
        elinewidth=1.4, markerfacecolor=GROUND if hollow else colour,
    )  # fmt: skip


def _line(axes: Axes, series: Any, slope: Any, colour: str) -> None:
    """The trend through the middle of the points."""
    import numpy as np

    # The axis is logarithmic, and a slope counts points for each doubling.
    doublings = np.log2([point["size"] for point in series])
    middle, height = doublings.mean(), np.mean([point["gap"]["value"] for point in series])
    along = np.linspace(doublings.min(), doublings.max(), 33)
    axes.plot(2**along, height + slope["value"] * (along - middle), color=colour, linewidth=1.4)


def _axis(axes: Axes, gaps: Any) -> bool:
    """Models and their sizes along the axis while they fit, else round sizes; whether they fit."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    sizes = {point["model"]: point["size"] for point in gaps}
    # A factor, not a sum, is a margin on a logarithmic axis.
    low, high = min(sizes.values()) / 1.4, max(sizes.values()) * 1.4
    axes.set_xlim(low, high)
    names_fit = _names_fit(sizes.values(), low, high)
    ticks = (
        {size: "\n".join((*wrap(name, _NAME), parameters(size))) for name, size in sizes.items()}
        if names_fit
        else _round_sizes(low, high)
    )
    axes.xaxis.set_major_locator(FixedLocator([*ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks([*ticks], [*ticks.values()], fontsize=7.5)
    return names_fit


def _names_fit(sizes: Collection[int], low: float, high: float) -> bool:
    """Whether the models of these sizes have room for their names along an axis with these ends."""
    shares = [
        log(larger / smaller) / log(high / low) for smaller, larger in pairwise(sorted(sizes))
    ]
    return len(sizes) <= _NAMED and all(share > _APART for share in shares)


def _round_sizes(low: float, high: float) -> dict[int, str]:
    """Sizes to mark on an axis with these ends, with what stands there; fewer on a long one."""
    steps = (1, 2, 5) if high / low < 20 else (1, 3) if high / low < 200 else (1,)
    sizes = [step * 10**power for power in range(13) for step in steps]
    return {size: parameters(size).replace(".0", "") for size in sizes if low <= size <= high}


def _names(axes: Axes, series: Any) -> None:
    """Each model beside its points, while they are few; one whose strategy has no gap, too."""
    heights: dict[tuple[float, str], float] = {}
    for point in series:
        heights[point["size"], point["model"]] = point["gap"]["value"]
    if len(heights) > 2 * _NAMED:
        return
    ordered = sorted(heights.items(), key=lambda item: (item[0][0], item[1]))
    for index, ((size, model), height) in enumerate(ordered):
        # To both sides in turn, so that names of neighbours don't lie on each other.
        to_left = index % 2 == 1
        axes.annotate(
            model, (size * (1 / _ASIDE if to_left else _ASIDE), height), (-6 if to_left else 6, 0),
            textcoords="offset points", va="center", ha="right" if to_left else "left",
            fontsize=7.5, color=QUIET,
        )  # fmt: skip


def _legend(canvas: Canvas, data: Any) -> None:
    from matplotlib.lines import Line2D

    names = [(data["baseline"], BASELINE, GROUND)]
    if data["panels"] != [data["baseline"]]:
        name = data["panels"][0] if len(data["panels"]) == 1 else "the panel's strategy"
        names.append((shortened(name, 26), COMPARED, COMPARED))
    handles = [
        Line2D([], [], color=colour, marker="o", markersize=5.5, linestyle="none",
               markerfacecolor=filling, label=label)
        for label, colour, filling in names
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside upper left", ncols=2, handletextpad=0.2, fontsize=8)
