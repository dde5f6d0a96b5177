"""`leaderboard.md`: a pure function of the board."""

from __future__ import annotations

from xharness.leaderboard.board import Board
from xharness.leaderboard.figures import Figure, figures
from xharness.leaderboard.sections import (
    arms,
    breakdowns,
    languages,
    model_sizes,
    other_metrics,
    provenance,
    published,
    significance_tables,
    suite_scores,
    tasks,
)
from xharness.leaderboard.summary import answer
from xharness.leaderboard.text import escape, prose


def render(board: Board) -> str:
    """The board as Markdown; the same board gives the same bytes, whenever and wherever."""
    study = board.study
    title = [f"# {escape(study.title or study.name)}", ""]
    introduction = ["## What was run", "", prose(study.about), ""] if study.about else []
    pictures = {figure.name: _shown(figure) for figure in figures(board)}
    sections = (
        title,
        answer(board, [*pictures.get("size", []), *pictures.get("changes", [])]),
        arms.section(board),
        introduction,
        model_sizes.section(board),
        tasks.section(board, pictures.get("tasks", [])),
        languages.section(board, pictures.get("languages", [])),
        significance_tables.section(board),
        breakdowns.section(board),
        suite_scores.section(board),
        other_metrics.section(board),
        published.section(board),
        _reading(board),
        provenance.section(board),
    )
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _shown(figure: Figure) -> list[str]:
    return [f"![{escape(figure.alt)}]({figure.path})", ""]


def _reading(board: Board) -> list[str]:
    seeds = any("seeds" in task_gap.over for task_gap in board.gaps.tasks)
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
