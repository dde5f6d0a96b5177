"""What model size does: the slope within families, and each family's own."""

from __future__ import annotations

from xharness.gaps import Trend, slope_text
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import Footnotes, escape, p_text, table
from xharness.phrases import counted


def section(board: Board) -> list[str]:
    """Answers in sentences, then all slopes; empty where no two sizes were run."""
    trends = [trend for trend in board.gaps.trends if len(trend.points) > 1]
    if not trends:
        return []
    footnotes = Footnotes()
    header = [
        "of",
        columns.STRATEGY,
        "size",
        "models",
        "families",
        "slope",
        "p, corrected",
        columns.READS_AS,
    ]
    rows = [_row(trend, footnotes) for trend in trends]
    intro = (
        "Points for each doubling of the parameters, within families: each family has its own "
        "level, so a slope speaks of these families and of no other models."
    )
    answers = dict.fromkeys(f"- {escape(trend.answer)}" for trend in trends if trend.answer)
    body = [*answers, *([""] if answers else []), *table(header, rows, 3), *footnotes.lines(), ""]
    return ["## Model size", "", intro, "", *body]


def _row(trend: Trend, footnotes: Footnotes) -> list[str]:
    quantity = columns.GAP if trend.of == "gap" else columns.CHANGE_OF_GAP
    axis = columns.NON_EMBEDDING if trend.axis == "non-embedding" else "all parameters"
    return [
        quantity,
        escape(trend.strategy) + footnotes.mark(*trend.notes),
        axis,
        counted(len(trend.points), "model"),
        "; ".join(
            f"{escape(family.family)} {slope_text(family.slope) if family.slope else '—'}"
            for family in trend.families
        )
        or "—",
        _slope(trend, footnotes),
        "—" if trend.adjusted is None else p_text(trend.adjusted),
        trend.word or "—",
    ]


def _slope(trend: Trend, footnotes: Footnotes) -> str:
    if trend.slope is None:
        return "*undefined*" + footnotes.mark(trend.undefined or "there is no slope")
    return slope_text(trend.slope)
