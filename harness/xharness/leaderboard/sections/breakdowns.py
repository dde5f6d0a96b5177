"""The mean of the others taken apart: by language family, script, and pretraining."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.gaps import Arm, TaskGap
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections.languages import columns
from xharness.leaderboard.text import escape, points, table
from xharness.spec.languages import SCRIPTS

_PARTS = {
    "families": "Language families",
    "scripts": "Scripts",
    "pretraining": "Languages the model saw in pretraining",
}


def section(board: Board) -> list[str]:
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
        arm: task_gap for arm in board.arms if (task_gap := board.gaps.task(arm, task)) is not None
    }
    names = sorted({name for task_gap in gaps.values() for name in getattr(task_gap, breakdown)})
    if not names or (len(names) < 2 and breakdown != "pretraining"):
        return []
    lines = [f"**{escape(task)}**", ""]
    for table_arms in columns([*gaps]):
        header = [breakdown.removesuffix("s"), *(escape(" × ".join(arm)) for arm in table_arms)]
        header[0] = {"families": "family", "scripts": "script"}.get(breakdown, breakdown)
        lines += [*table(header, _rows(names, table_arms, gaps, breakdown), 1), ""]
    return lines


def _rows(
    names: Sequence[str], table_arms: Sequence[Arm], gaps: dict[Arm, TaskGap], breakdown: str
) -> list[list[str]]:
    return [
        [_named(name, breakdown, gaps), *(_cell(gaps[arm], name, breakdown) for arm in table_arms)]
        for name in names
    ]


def _named(name: str, breakdown: str, gaps: dict[Arm, TaskGap]) -> str:
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
