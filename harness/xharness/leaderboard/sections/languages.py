"""Each task's scores, language by language."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.gaps import Arm, Estimate, TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import Footnotes, escape, language, points, table
from xharness.phrases import counted

_COLUMNS = 6  # arms side by side, unless one model has more


def section(board: Board, figure: Sequence[str] = ()) -> list[str]:
    """Languages down, arms across; several tables where the arms are many."""
    lines = ["## Languages", "", *figure, "Bold: the lowest of each column.", ""]
    for task in board.tasks:
        codes = codes_of(board, task)
        if not codes:
            continue
        summary = f"{escape(task)}: {counted(len(codes), 'language')}"
        lines += [f"<details><summary>{summary}</summary>", ""]
        gaps = board.on(task)
        for table_arms in columns([*gaps]):
            notes = Footnotes()
            columns_of_scores = [_column(gaps[arm], codes, notes) for arm in table_arms]
            header = ["language", *(escape(" × ".join(arm)) for arm in table_arms)]
            rows = (
                [language(code), *scores]
                for code, *scores in zip(codes, *columns_of_scores, strict=True)
            )
            lines += [*table(header, rows, 1), *notes.lines(), ""]
        lines += ["</details>", ""]
    return lines


def codes_of(board: Board, task: str) -> list[str]:
    """The task's languages, the source language first."""
    task_gaps = [task_gap for task_gap in board.gaps.tasks if task_gap.task == task]
    codes = {code for task_gap in task_gaps for code in (*task_gap.scores, *task_gap.absent)}
    sources = {task_gap.source_language for task_gap in task_gaps}
    return sorted(codes, key=lambda code: (code not in sources, code))


def columns(arms: Sequence[Arm]) -> list[list[Arm]]:
    """The arms in tables of a readable width; a model's arms stay together."""
    columns: list[list[Arm]] = [[]]
    for model in dict.fromkeys(model for model, _ in arms):
        model_arms = [arm for arm in arms if arm[0] == model]
        if columns[-1] and len(columns[-1]) + len(model_arms) > _COLUMNS:
            columns.append([])
        columns[-1] += model_arms
    return columns


def _column(task_gap: TaskGap, codes: Sequence[str], notes: Footnotes) -> list[str]:
    cells_text = [_score(task_gap, code, notes) for code in codes]
    values = [task_gap.scores[code].value for code in codes if code in task_gap.scores]
    lowest = points(min(values)) if len(values) > 1 else None
    return [f"**{text}**" if text == lowest else text for text in cells_text]


def _score(task_gap: TaskGap, code: str, notes: Footnotes) -> str:
    estimate: Estimate | None = task_gap.scores.get(code)
    return cells.number(estimate, notes, task_gap.absent.get(code) or task_gap.undefined)
