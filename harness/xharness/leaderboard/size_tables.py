"""What model size does: the slope of each trend, and what it means in a sentence."""

from __future__ import annotations

from xharness.gaps import Estimate, Trend
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import Footnotes, escape, plural, table, with_interval


def sizes(board: Board) -> list[str]:
    """The section; empty where no trend has a slope: then the answer says why."""
    trends = [one for one in board.gaps.trends if len(one.points) > 1]
    if not any(one.slope for one in trends):
        return []
    notes = Footnotes()
    header = ["of", "strategy", "models", "size", "family", "slope", "slope of averages"]
    rows = [_row(one, notes) for one in trends]
    intro = (
        "Points for each doubling of the parameters: a mixed-effects model with languages, tasks "
        "and models as random effects; beside it the slope through the models' averages, whose "
        "interval covers items and seeds alone."
    )
    told = list(dict.fromkeys(f"- {escape(one.answer)}" for one in trends if one.slope))
    lines = [*table(header, rows, 5), *notes.lines(), ""]
    return ["## Model size", "", *([*told, ""] if told else []), intro, "", *lines]


def _row(trend: Trend, notes: Footnotes) -> list[str]:
    what = "gap" if trend.of == "gap" else f"change against {trend.against}"
    counted = "outside embedding" if trend.axis == "non-embedding" else "all parameters"
    return [
        escape(what),
        escape(trend.strategy) + notes.mark(*trend.notes),
        plural(len(trend.points), "model"),
        counted,
        "all" if trend.family is None else escape(trend.family),
        _slope(trend.slope, trend.undefined, notes),
        _slope(trend.check, trend.undefined, notes),
    ]


def _slope(found: Estimate | None, why: str | None, notes: Footnotes) -> str:
    if found is None:
        return "*undefined*" + notes.mark(why or "there is no slope")
    return with_interval(found, change=True)
