"""What model size does: the slope of each trend, and what it means in a sentence."""

from __future__ import annotations

from xharness.gaps import Estimate, Trend
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import Footnotes, escape, table, with_interval
from xharness.phrases import counted


def section(board: Board) -> list[str]:
    """The section; empty where no trend has a slope: then the answer says why."""
    trends = [trend for trend in board.gaps.trends if len(trend.points) > 1]
    if not any(trend.slope for trend in trends):
        return []
    notes = Footnotes()
    header = ["of", "strategy", "models", "size", "family", "slope", "slope of averages"]
    rows = [_row(trend, notes) for trend in trends]
    intro = (
        "Points for each doubling of the parameters: a mixed-effects model with languages, tasks "
        "and models as random effects; beside it the slope through the models' averages, whose "
        "interval covers items and seeds alone."
    )
    answers = list(dict.fromkeys(f"- {escape(trend.answer)}" for trend in trends if trend.slope))
    lines = [*table(header, rows, 5), *notes.lines(), ""]
    return ["## Model size", "", *([*answers, ""] if answers else []), intro, "", *lines]


def _row(trend: Trend, notes: Footnotes) -> list[str]:
    quantity = "gap" if trend.of == "gap" else f"change against {trend.against}"
    axis = "outside embedding" if trend.axis == "non-embedding" else "all parameters"
    return [
        escape(quantity),
        escape(trend.strategy) + notes.mark(*trend.notes),
        counted(len(trend.points), "model"),
        axis,
        "all" if trend.family is None else escape(trend.family),
        _slope(trend.slope, trend.undefined, notes),
        _slope(trend.check, trend.undefined, notes),
    ]


def _slope(slope: Estimate | None, reason: str | None, notes: Footnotes) -> str:
    if slope is None:
        return "*undefined*" + notes.mark(reason or "there is no slope")
    return with_interval(slope, change=True)
