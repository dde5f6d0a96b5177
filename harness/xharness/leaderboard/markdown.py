"""`leaderboard.md`: a pure function of the board."""

from __future__ import annotations

from xharness.leaderboard import (
    language_tables,
    other_metrics,
    part_tables,
    provenance,
    published,
    size_tables,
    suite_tables,
    tables,
    test_tables,
)
from xharness.leaderboard.answer import answer
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures import Figure, figures
from xharness.leaderboard.text import escape, prose


def render(board: Board) -> str:
    """The board as Markdown; the same board gives the same bytes, whenever and wherever."""
    study = board.study
    title = [f"# {escape(study.title or study.name)}", ""]
    about = ["## What was run", "", prose(study.about), ""] if study.about else []
    drawn = {one.name: _shown(one) for one in figures(board)}
    sections = (
        title,
        answer(board, [*drawn.get("size", []), *drawn.get("changes", [])]),
        tables.arms(board),
        about,
        size_tables.sizes(board),
        tables.by_task(board, drawn.get("tasks", [])),
        language_tables.by_language(board, drawn.get("languages", [])),
        test_tables.tests(board),
        part_tables.parts(board),
        suite_tables.suites(board),
        other_metrics.other_metrics(board),
        published.published(board),
        _reading(board),
        provenance.provenance(board),
        provenance.again(board),
    )
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _shown(figure: Figure) -> list[str]:
    return [f"![{escape(figure.alt)}]({figure.path})", ""]


def _reading(board: Board) -> list[str]:
    seeds = any("seeds" in one.over for one in board.gaps.tasks)
    return [
        "## How to read it",
        "",
        f"- **gap**: the {board.source} score minus the unweighted mean of the other languages. "
        f"*undefined* where there is no {board.source} score to start from; never zero.",
        "- **retention**: (mean of others − chance) / (source − chance): what is left, once "
        "guessing is taken off.",
        "- **relative gap**: gap / source; both ratios are left out near chance.",
        "- **place**: by gap, the narrowest first; arms that their paired intervals can't tell "
        "apart share one.",
        "- **detectable**: the smallest true change that four in five such studies would notice.",
        "- **near chance**: the score is less than 5 points above guessing, or its interval "
        "reaches it.",
        "- **change**: the strategy minus the baseline, same model, paired by seed and by test "
        "item, so its interval is narrower than those of the two gaps suggest.",
        f"- **[low, high]**: 95% interval from {board.gaps.resamples} bootstrap resamples of the "
        f"items{' and from the variance between seeds' if seeds else ''} (Sellam et al. 2022, "
        "arXiv 2106.16163). Items are drawn once for all languages where item i asks the same in "
        "each, else for each language by itself.",
        "",
    ]
