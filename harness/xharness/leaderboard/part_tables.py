"""The mean of the others taken apart: by language family, script, and pretraining."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.gaps import Arm, TaskGap
from xharness.languages import SCRIPTS
from xharness.leaderboard.board import Board
from xharness.leaderboard.language_tables import columns
from xharness.leaderboard.text import escape, points, table

_PARTS = {
    "families": "Language families",
    "scripts": "Scripts",
    "pretraining": "Languages the model saw in pretraining",
}


def parts(board: Board) -> list[str]:
    """A fold for each way to take the mean apart that some task allows."""
    made = {
        which: [line for task in board.tasks for line in _of_task(board, task, which)]
        for which in _PARTS
    }
    lines = []
    for which, title in _PARTS.items():
        if made[which]:
            head = f"<details><summary>{title}</summary>"
            lines += [head, "", *made[which], "</details>", ""]
    intro = "Each cell: the mean score of these languages / the gap to them."
    return ["## Families, scripts, pretraining", "", intro, "", *lines] if lines else []


def _of_task(board: Board, task: str, which: str) -> list[str]:
    found = {arm: one for arm in board.arms if (one := board.gaps.task(arm, task)) is not None}
    names = sorted({name for one in found.values() for name in getattr(one, which)})
    if not names or (len(names) < 2 and which != "pretraining"):
        return []
    lines = [f"**{escape(task)}**", ""]
    for some in columns([*found]):
        header = [which.removesuffix("s"), *(escape(" × ".join(arm)) for arm in some)]
        header[0] = {"families": "family", "scripts": "script"}.get(which, which)
        lines += [*table(header, _rows(names, some, found, which), 1), ""]
    return lines


def _rows(
    names: Sequence[str], some: Sequence[Arm], found: dict[Arm, TaskGap], which: str
) -> list[list[str]]:
    return [
        [_named(name, which, found), *(_cell(found[arm], name, which) for arm in some)]
        for name in names
    ]


def _named(name: str, which: str, found: dict[Arm, TaskGap]) -> str:
    """The part, and its languages where all arms have the same."""
    languages = {
        getattr(one, which)[name].languages for one in found.values() if name in getattr(one, which)
    }
    told = f" ({', '.join(languages.pop())})" if len(languages) == 1 else ""
    return escape(SCRIPTS.get(name, name)) + told


def _cell(found: TaskGap, name: str, which: str) -> str:
    part = getattr(found, which).get(name)
    if part is None:
        return "—"
    gap = "*undefined*" if part.gap is None else points(part.gap.value)
    return f"{points(part.mean.value)} / {gap}"
