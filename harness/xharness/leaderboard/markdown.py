"""`leaderboard.md` and `details/*.md`: pure functions of the board."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from xharness.leaderboard import columns
from xharness.leaderboard.board import SCORES, STUDY, Board
from xharness.leaderboard.figures import Figure, figures
from xharness.leaderboard.sections import (
    arms,
    languages,
    limits,
    model_sizes,
    provenance,
    published,
    significance_tables,
    suite_scores,
    tasks,
)
from xharness.leaderboard.standing import is_warning
from xharness.leaderboard.summary import Summary, summarize
from xharness.leaderboard.text import escape, prose, table
from xharness.phrases import counted

DETAILS = "details"
_LIMITS = 20  # of the answer, beside it; all are in the details
Section = Callable[[Board], list[str]]
_DETAILS: Mapping[str, tuple[str, tuple[Section, ...]]] = {
    "arms": ("every arm", (arms.section,)),
    "tasks": ("every task", (tasks.section, tasks.other_metrics)),
    "languages": (
        "every language",
        (languages.section, significance_tables.section, languages.breakdowns),
    ),
    "sizes": ("model size", (model_sizes.section,)),
    "suites": ("suite scores", (suite_scores.section,)),
    "published": ("published rows", (published.section,)),
    "limits": ("limits", (limits.section,)),
    "provenance": ("how each number is made again", (provenance.section,)),
}
"""File in `details/` to what a link to it says, and its sections."""


def render(board: Board, pages: Collection[str] | None = None) -> str:
    """The board as Markdown; the same board gives the same bytes, whenever and wherever.

    `pages` are the names of its details, where they are made already.
    """
    summary = summarize(board)
    # Only for the links: which details there are decides what may be linked to.
    names = details(board) if pages is None else pages
    pictures = [line for figure in figures(board) for line in _picture(figure)]
    introduction = (
        ["## What was run", "", prose(board.study.about), ""] if board.study.about else []
    )
    parts = (
        _first_screen(summary, names),
        pictures,
        introduction,
        _limits(board),
        _fold("How to read it", _reading(board)),
    )
    return _page(line for lines in parts for line in lines)


def details(board: Board) -> dict[str, str]:
    """Path to text of the pages with all numbers; one without numbers is not there."""
    question = escape(board.study.title or board.study.name)
    pages = {}
    for name, (_, sections) in _DETAILS.items():
        lines = [line for section in sections for line in section(board)]
        if lines:
            start = [f"# {question}", "", "[The answer](../leaderboard.md)", ""]
            pages[f"{DETAILS}/{name}.md"] = _page([*start, *lines])
    return pages


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _first_screen(summary: Summary, pages: Collection[str]) -> list[str]:
    headline = escape(summary.headline)
    remarks = " ".join(map(escape, summary.remarks))
    return [
        f"# {escape(summary.question)}",
        "",
        f"**{headline}** {remarks}".rstrip(),
        "",
        " · ".join(_badge(badge) for badge in summary.badges),
        "",
        *_table(summary),
        "",
        escape(summary.caption),
        "",
        *([escape(summary.open_line), ""] if summary.still_open else []),
        _links(pages),
        "",
        *_legend(summary),
    ]


def _legend(summary: Summary) -> list[str]:
    entries = [f"- **{escape(name)}**: {escape(about)}" for name, about in summary.legend]
    return ["The strategies:", "", *entries, ""] if entries else []


def _badge(badge: str) -> str:
    return f"`{badge}`" if is_warning(badge) else escape(badge)


def _table(summary: Summary) -> list[str]:
    rows = []
    model = None
    for line in summary.table.lines:
        name, strategies, *cells = line.words
        strategy = escape(strategies)
        if line.is_claim:
            cells = [*map(escape, cells[:-1]), f"**{escape(cells[-1])}**"]
        else:
            cells = [*map(escape, cells)]
        model_text = escape(name) if name != model else ""
        rows.append([model_text, f"**{strategy}**" if line.is_baseline else strategy, *cells])
        model = name
    last = len(summary.table.header) - 1
    reads = summary.table.header[-1] == columns.READS_AS
    header = [escape(name) for name in summary.table.header]
    lines = table(header, rows, 2)
    if reads:
        # The reading in the last column is words, to the left as the names are.
        rules = [":--" if column < 2 or column == last else "--:" for column in range(last + 1)]
        lines[1] = f"| {' | '.join(rules)} |"
    return lines


def _links(pages: Collection[str]) -> str:
    links = [
        f"[{text}]({DETAILS}/{name}.md)"
        for name, (text, _) in _DETAILS.items()
        if f"{DETAILS}/{name}.md" in pages
    ]
    files = ("[page to sort and filter](leaderboard.html)", "[scores](leaderboard.csv)",
             "[all gaps](leaderboard.json)")  # fmt: skip
    return " · ".join((*links, *files))


def _picture(figure: Figure) -> list[str]:
    return [f"![{escape(figure.alt)}]({figure.path})", ""]


def _fold(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    return [f"<details><summary>{title}</summary>", "", *lines, "", "</details>", ""]


def _limits(board: Board) -> list[str]:
    """The first limits in a fold; they are many where the arms are."""
    every_limit = list(limits.limits(board, escape))
    lines = [f"- {limit}" for limit in every_limit[:_LIMITS]]
    if len(every_limit) > _LIMITS:
        lines.append(f"- and {len(every_limit) - _LIMITS} more: [limits]({DETAILS}/limits.md)")
    return _fold(f"What limits this answer: {counted(len(every_limit), 'thing')} to know", lines)


def _reading(board: Board) -> list[str]:
    words = {"source": escape(board.source_name), "baseline": escape(board.gaps.baseline)}
    meanings = [f"- **{name}**: {meaning.format(**words)}" for name, meaning in columns.MEANINGS]
    origin = f"Made from `{STUDY}`, `{SCORES}` and `evidence.parquet` alone"
    return [*meanings, "", f"{origin}: `xharness leaderboard build .`"]
