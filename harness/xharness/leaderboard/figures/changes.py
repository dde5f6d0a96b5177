"""What each strategy changes, in the gap and in the others: two forest plots that share rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xharness.gaps import ArmName, Change, Headline, Verdict, rounded
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.figure import Figure, estimate_values, groups, row_positions
from xharness.leaderboard.figures.style import BASELINE, COMPARED, GROUND, INK, QUIET
from xharness.leaderboard.text import shortened, signed
from xharness.phrases import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW_HEIGHT = 0.22  # inches
_READING = 34  # letters of a reading that fit beside the rows
# Quantity, title, and which way is which along the axis.
_PANELS = (("gap", columns.CHANGE_OF_GAP, "← narrower · wider →"),
           ("others", columns.CHANGE_OF_OTHERS, "← lose · gain →"))  # fmt: skip


def figure(board: Board) -> Figure | None:
    """None where nothing is compared with the baseline on average."""
    row_groups = _groups(board)
    data = {"baseline": board.gaps.baseline, "groups": row_groups}
    several = len(row_groups) > 1
    values = [
        (f"{group['name']} × {row['name']}" if several else row["name"], row["gap"]["value"])
        for group in row_groups
        for row in group["rows"]
        if row["gap"] is not None
    ]
    if not values:
        return None
    # A dozen: an alternative text is listened to from end to end.
    listing = listed(f"{signed(value)} ({name})" for name, value in values[:12])
    alt = (
        f"{columns.CHANGE_OF_GAP} and {columns.CHANGE_OF_OTHERS} against {board.gaps.baseline}, "
        f"one row a strategy. {columns.CHANGE_OF_GAP}: {listing}"
        f"{f', and {len(values) - 12} more' if len(values) > 12 else ''}."
    )
    return Figure("changes", f"What changes against {board.gaps.baseline}", alt, data, draw)


def _groups(board: Board) -> list[dict[str, Any]]:
    base = board.gaps.baseline
    return [
        {
            "name": name,
            "rows": sorted(
                (_row(board, row.strategy, row.arms) for row in rows if row.strategy != base),
                # Rows without a number at the end.
                key=lambda row: -rounded(row["others"]["value"]) if row["others"] else 1e9,
            ),
        }
        for name, rows in groups(board, board.pool_arms).items()
        if any(row.strategy != base for row in rows)
    ]


def _row(board: Board, strategy: str, arms: list[ArmName]) -> dict[str, Any]:
    of_models = len(arms) > 1
    change: Change | Headline | None = (
        board.gaps.headline(strategy) if of_models else board.changes.get((arms[0], None))
    )
    without_interval = change is None or change.verdict is Verdict.EXPLORATORY
    reading = (change.reads_as or change.undefined or "") if change else "not scored"
    return {
        "name": strategy,
        "gap": estimate_values(change.gap if change else None, without_interval=without_interval),
        "others": estimate_values(
            change.others if change else None, without_interval=without_interval
        ),
        "reading": shortened(reading, _READING),
        "claim": bool(change and change.verdict is not None and change.verdict.is_claim),
    }


def draw(canvas: Canvas, data: Any) -> None:
    """A row for each strategy under its model; the line at zero is the baseline."""
    positions = row_positions([len(group["rows"]) for group in data["groups"]])
    canvas.set_size_inches(8, 0.95 + _ROW_HEIGHT * (positions[-1][-1] + 1.4))
    panels = canvas.subplots(1, 2, sharey=True)
    for axes, (quantity, title, directions) in zip(panels, _PANELS, strict=True):
        axes.axvline(0, color=BASELINE, linewidth=1.4)
        for group, heights in zip(data["groups"], positions, strict=True):
            for y, row in zip(heights[1:], group["rows"], strict=True):
                _mark(axes, y, row[quantity], claim=row["claim"])
        axes.set_title(f"{title}, points", fontsize=9.5)
        axes.set_xlabel(directions, fontsize=8)
        # Upside down: matplotlib counts from below, and the first row is to stand on top.
        axes.set_ylim(positions[-1][-1] + 0.7, -0.9)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.08)
        axes.text(0, -0.45, data["baseline"], color=QUIET, fontsize=7.5, ha="center", va="center",
                  bbox={"facecolor": GROUND, "edgecolor": "none", "pad": 1.2})  # fmt: skip
    _labels(panels, data["groups"], positions)


def _mark(axes: Axes, y: float, estimate: Any, *, claim: bool) -> None:
    """Filled where a word is claimed, hollow elsewhere."""
    if estimate is None:
        axes.text(0, y, "  –", color=QUIET, fontsize=9, va="center")
        return
    if estimate["low"] is not None:
        axes.plot([estimate["low"], estimate["high"]], [y, y], color=COMPARED,
                  linewidth=1.8, solid_capstyle="butt")  # fmt: skip
    axes.plot(estimate["value"], y, color=COMPARED, marker="o", markersize=6,
              linestyle="none", markerfacecolor=COMPARED if claim else GROUND)  # fmt: skip


def _labels(panels: Any, groups_drawn: Any, positions: list[list[float]]) -> None:
    """Models in bold, strategies below them, readings to the right of both panels."""
    gap_axes, others_axes = panels
    ticks, names = [], []
    for group, heights in zip(groups_drawn, positions, strict=True):
        ticks += heights
        names += [group["name"], *(row["name"] for row in group["rows"])]
        for y, row in zip(heights[1:], group["rows"], strict=True):
            others_axes.annotate(
                row["reading"], (1.0, y), xycoords=("axes fraction", "data"), xytext=(6, 0),
                textcoords="offset points", color=INK if row["claim"] else QUIET, fontsize=7.5,
                va="center", annotation_clip=False,
            )  # fmt: skip
    gap_axes.set_yticks(ticks, names)
    titles = {heights[0] for heights in positions}
    for label, tick in zip(gap_axes.get_yticklabels(), ticks, strict=True):
        label.set_color(INK)
        label.set_fontweight("bold" if tick in titles else "normal")
