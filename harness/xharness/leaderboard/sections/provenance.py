"""Where the numbers come from, and how each row is made again."""

from __future__ import annotations

from collections import defaultdict

from xharness.leaderboard.board import SCORES, STUDY, Board, is_published
from xharness.leaderboard.text import escape, table
from xharness.phrases import counted, listed

_KEY = 10  # digits of a stage key that are shown


def section(board: Board) -> list[str]:
    """Origins of the numbers, then the commands behind the rows."""
    return [*_origins(board), *_reproduction(board)]


def _origins(board: Board) -> list[str]:
    """How many scores were measured, how many published, and where."""
    published = [row for row in board.scores if is_published(row)]
    sources = sorted({row.source or "no source given" for row in published})
    measured = len(board.scores) - len(published)
    lines = [f"{counted(measured, 'score')} measured by this study."]
    if published:
        source_names = listed(map(escape, sources))
        lines.append(f"{counted(len(published), 'score')} published: {source_names}.")
    return ["## Where the numbers come from", "", *lines, ""]


def _reproduction(board: Board) -> list[str]:
    """The commands behind the rows, and for each row the stages that measured it."""
    if board.scores and all(is_published(row) for row in board.scores):
        return [f"Nothing was run: this page is made from `{STUDY}` and `{SCORES}` alone."]
    keys = _keys(board)
    rows = [
        [escape(task), escape(arm.model), escape(arm.strategy), ", ".join(keys[task, *arm])]
        for task in board.tasks
        for arm in board.arms
        if (task, *arm) in keys
    ]
    return ["## How to reproduce each row", "", *_commands(board), *_stages(rows)]


def _commands(board: Board) -> list[str]:
    seed = next((row.seed for row in board.scores if row.seed is not None), None)
    stage = next((row.stage for row in board.scores if row.stage is not None), None)
    lines = [f"xharness run {STUDY} --data-root DIR             # every row"]
    if seed is not None:
        lines.append(
            f"xharness run {STUDY} --data-root DIR --seed {seed}    # one seed of every row"
        )
    if stage is not None:
        lines.append(f"xharness show {stage[:_KEY]}  # one stage: its recipe, data and parents")
    lines.append("xharness leaderboard build .  # this page from its scores")
    # Lines are of unequal length, and remarks beside them are to begin in one column.
    width = max(len(line.split("#")[0].rstrip()) for line in lines)
    aligned = [
        f"{command.rstrip():{width}}  #{remark}"
        for command, remark in (line.split("#", 1) for line in lines)
    ]
    origin = (
        f"What is stored already is reused. This page is made from `{STUDY}`, `{SCORES}` and "
        "`evidence.parquet` alone; `leaderboard.csv` has every score, `leaderboard.json` every "
        "gap with its interval, `leaderboard.html` all of it to sort and filter."
    )
    return ["```console", *aligned, "```", "", origin, ""]


def _stages(rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    head = "<details><summary>The stages behind each row, by seed</summary>"
    header = ["task", "model", "strategy", "stages"]
    return [head, "", *table(header, rows, 4), "", "</details>", ""]


def _keys(board: Board) -> dict[tuple[str, str, str], dict[str, None]]:
    """Task and arm to the keys of the stages that measured the scores."""
    keys: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    measured = ((row.task, row.model, row.strategy, row.seed, row.stage) for row in board.scores)
    for task, model, strategy, seed, stage in dict.fromkeys(measured):
        if stage is not None:
            key = f"{'' if seed is None else f'{seed}: '}`{escape(stage[:_KEY])}`"
            keys[task, model, strategy][key] = None
    return keys
