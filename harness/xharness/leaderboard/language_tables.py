"""Each task's scores, language by language."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.gaps import Arm, Estimate, TaskGap
from xharness.leaderboard import cells
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import Footnotes, escape, language, plural, points, table

_COLUMNS = 6  # arms side by side, unless one model has more


def by_language(board: Board, figure: Sequence[str] = ()) -> list[str]:
    """Languages down, arms across; several tables where the arms are many."""
    lines = ["## Languages", "", *figure, "Bold: the lowest of each column.", ""]
    for task in board.tasks:
        codes = codes_of(board, task)
        if not codes:
            continue
        summary = f"{escape(task)}: {plural(len(codes), 'language')}"
        lines += [f"<details><summary>{summary}</summary>", ""]
        gaps = board.on(task)
        for some in columns([*gaps]):
            notes = Footnotes()
            found = [_column(gaps[arm], codes, notes) for arm in some]
            header = ["language", *(escape(" × ".join(arm)) for arm in some)]
            rows = ([language(code), *own] for code, *own in zip(codes, *found, strict=True))
            lines += [*table(header, rows, 1), *notes.lines(), ""]
        lines += ["</details>", ""]
    return lines


def codes_of(board: Board, task: str) -> list[str]:
    """The task's languages, the source language first."""
    found = [one for one in board.gaps.tasks if one.task == task]
    codes = {code for one in found for code in (*one.scores, *one.absent)}
    sources = {one.source_language for one in found}
    return sorted(codes, key=lambda code: (code not in sources, code))


def columns(every: Sequence[Arm]) -> list[list[Arm]]:
    """The arms in tables of a readable width; a model's arms stay together."""
    columns: list[list[Arm]] = [[]]
    for model in dict.fromkeys(model for model, _ in every):
        own = [arm for arm in every if arm[0] == model]
        if columns[-1] and len(columns[-1]) + len(own) > _COLUMNS:
            columns.append([])
        columns[-1] += own
    return columns


def _column(found: TaskGap, codes: Sequence[str], notes: Footnotes) -> list[str]:
    shown = [_score(found, code, notes) for code in codes]
    known = [found.scores[code].value for code in codes if code in found.scores]
    lowest = points(min(known)) if len(known) > 1 else None
    return [f"**{text}**" if text == lowest else text for text in shown]


def _score(found: TaskGap, code: str, notes: Footnotes) -> str:
    estimate: Estimate | None = found.scores.get(code)
    return cells.number(estimate, notes, found.absent.get(code) or found.undefined)
