"""Each task's scores, language by language and by families, scripts and pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xharness.gaps import ArmName, Estimate, TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.text import Footnotes, escape, language, points, table
from xharness.phrases import counted
from xharness.spec.languages import SCRIPTS

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
        for table_arms in tables_of_arms([*gaps]):
            notes = Footnotes()
            columns_of_scores = [_column(gaps[arm], codes, notes) for arm in table_arms]
            header = ["language", *(escape(arm.label) for arm in table_arms)]
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


def tables_of_arms(arms: Sequence[ArmName]) -> list[list[ArmName]]:
    """The arms in tables of a readable width; a model's arms stay together."""
    tables: list[list[ArmName]] = [[]]
    for model in dict.fromkeys(model for model, _ in arms):
        model_arms = [arm for arm in arms if arm.model == model]
        if tables[-1] and len(tables[-1]) + len(model_arms) > _COLUMNS:
            tables.append([])
        tables[-1] += model_arms
    return tables


def _column(task_gap: TaskGap, codes: Sequence[str], notes: Footnotes) -> list[str]:
    cells_text = [_score(task_gap, code, notes) for code in codes]
    values = [task_gap.scores[code].value for code in codes if code in task_gap.scores]
    # Compared as text: of two that read alike both are bold.
    lowest = points(min(values)) if len(values) > 1 else None
    return [f"**{text}**" if text == lowest else text for text in cells_text]


def _score(task_gap: TaskGap, code: str, notes: Footnotes) -> str:
    estimate: Estimate | None = task_gap.scores.get(code)
    return cells.number(estimate, notes, task_gap.absent.get(code) or task_gap.undefined)


_PARTS = {
    "families": "Language families",
    "scripts": "Scripts",
    "pretraining": "Languages the model saw in pretraining",
}
_COLUMN_NAMES = {"families": "family", "scripts": "script", "pretraining": "pretraining"}


def breakdowns(board: Board) -> list[str]:
    """A fold for each way to take the mean apart that some task allows."""
    tables = {
        breakdown: [line for task in board.tasks for line in _of_task(board, task, breakdown)]
        for breakdown in _PARTS
    }
    lines = []
    for breakdown, title in _PARTS.items():
        if tables[breakdown]:
            head = f"<details><summary>{title}</summary>"
            lines += [head, "", *tables[breakdown], "</details>", ""]
    intro = "Each cell: the mean score of these languages / the gap to them."
    return ["## Families, scripts, pretraining", "", intro, "", *lines] if lines else []


def _of_task(board: Board, task: str, breakdown: str) -> list[str]:
    gaps = {
        arm: task_gap
        for arm in board.arms
        if (task_gap := board.task_gaps.get((arm, task))) is not None
    }
    names = sorted({name for task_gap in gaps.values() for name in getattr(task_gap, breakdown)})
    # One family or script alone repeats the mean; that a model saw all languages, or none, is news.
    if not names or (len(names) < 2 and breakdown != "pretraining"):
        return []
    lines = [f"**{escape(task)}**", ""]
    titles = {name: _part_title(name, breakdown, gaps) for name in names}
    for table_arms in tables_of_arms([*gaps]):
        header = [_COLUMN_NAMES[breakdown], *(escape(arm.label) for arm in table_arms)]
        lines += [*table(header, _rows(titles, table_arms, gaps, breakdown), 1), ""]
    return lines


def _rows(
    titles: Mapping[str, str],
    table_arms: Sequence[ArmName],
    gaps: dict[ArmName, TaskGap],
    breakdown: str,
) -> list[list[str]]:
    return [
        [title, *(_cell(gaps[arm], name, breakdown) for arm in table_arms)]
        for name, title in titles.items()
    ]


def _part_title(name: str, breakdown: str, gaps: dict[ArmName, TaskGap]) -> str:
    """The part, and its languages where all arms have the same."""
    languages = {
        getattr(task_gap, breakdown)[name].languages
        for task_gap in gaps.values()
        if name in getattr(task_gap, breakdown)
    }
    listing = f" ({', '.join(languages.pop())})" if len(languages) == 1 else ""
    return escape(SCRIPTS.get(name, name)) + listing


def _cell(task_gap: TaskGap, name: str, breakdown: str) -> str:
    part = getattr(task_gap, breakdown).get(name)
    if part is None:
        return "—"
    gap = "*undefined*" if part.gap is None else points(part.gap.value)
    return f"{points(part.mean.value)} / {gap}"
