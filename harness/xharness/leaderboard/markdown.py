"""`leaderboard.md`: a pure function of the board."""

from __future__ import annotations

from collections import defaultdict

from xharness.leaderboard import language_tables, other_metrics, tables
from xharness.leaderboard.answer import answer
from xharness.leaderboard.board import SCORES, STUDY, Board
from xharness.leaderboard.text import escape, listed, plural, prose, table

_KEY = 10  # digits of a stage key that are shown


def render(board: Board) -> str:
    """The board as Markdown; the same board gives the same bytes, whenever and wherever."""
    study = board.study
    title = [f"# {escape(study.title or study.name)}", ""]
    about = [prose(study.about), ""] if study.about else []
    sections = (
        title,
        about,
        answer(board),
        tables.arms(board),
        tables.by_task(board),
        language_tables.by_language(board),
        other_metrics.other_metrics(board),
        _reading(board),
        _provenance(board),
        _again(),
    )
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _reading(board: Board) -> list[str]:
    seeds = "items and seeds" if any("seeds" in one.over for one in board.gaps.tasks) else "items"
    return [
        "## How to read it",
        "",
        f"- **gap**: the {board.source} score minus the unweighted mean of the other languages. "
        f"*undefined* where there is no {board.source} score to start from; never zero.",
        "- **retention**: (mean of others − chance) / (source − chance): what is left, once "
        "guessing is taken off.",
        "- **near chance**: the score is less than 5 points above guessing, or its interval "
        "reaches it.",
        "- **change**: the strategy minus the baseline, same model, paired by seed and by test "
        "item, so its interval is narrower than those of the two gaps suggest.",
        f"- **[low, high]**: 95% percentile interval of {board.gaps.resamples} bootstrap resamples "
        f"over {seeds} (Sellam et al. 2022, arXiv 2106.16163). Items are drawn once for all "
        "languages where item i asks the same in each, else for each language by itself.",
        "",
    ]


def _provenance(board: Board) -> list[str]:
    measured = sum(row.provenance == "measured" for row in board.scores)
    published = sorted({row.source or "no source given" for row in board.scores
                        if row.provenance == "published"})  # fmt: skip
    lines = [f"{plural(measured, 'score')} measured by this study."]
    if published:
        count = len(board.scores) - measured
        lines.append(f"{plural(count, 'score')} published: {listed(map(escape, published))}.")
    return ["## Where the numbers come from", "", *lines, "", *_stages(board)]


def _stages(board: Board) -> list[str]:
    """The keys of the stages that measured the scores, for finding their receipts."""
    keys: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for row in board.scores:
        if row.stage is not None:
            told = f"{'' if row.seed is None else f'{row.seed}: '}`{escape(row.stage[:_KEY])}`"
            keys[row.task, row.model, row.strategy][told] = None
    rows = [
        [escape(task), escape(arm[0]), escape(arm[1]), ", ".join(keys[task, *arm])]
        for task in board.tasks
        for arm in board.arms
        if (task, *arm) in keys
    ]
    if not rows:
        return []
    head = "<details><summary>Stage keys, by seed</summary>"
    header = ["task", "model", "strategy", "stages"]
    return [head, "", *table(header, rows, 4), "", "</details>", ""]


def _again() -> list[str]:
    return [
        "## How to run it again",
        "",
        "```console",
        f"xharness run {STUDY}",
        "```",
        "",
        f"What is stored already is reused. This page is made from `{STUDY}`, `{SCORES}` and "
        "`evidence.parquet` alone; `leaderboard.csv` has every score, `leaderboard.json` every "
        "gap with its interval.",
    ]
