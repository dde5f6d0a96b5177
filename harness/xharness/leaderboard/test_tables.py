"""Language by language: what a strategy changes, and whether a paired test says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xharness.gaps import Arm, Change, Test
from xharness.leaderboard.board import Board
from xharness.leaderboard.language_tables import codes_of, columns
from xharness.leaderboard.text import escape, language, listed, signed, table

_SURE = 0.05


def tests(board: Board) -> list[str]:
    """A fold for each task that has paired tests."""
    lines = [line for task in board.tasks for line in _of_task(board, task)]
    if not lines:
        return []
    methods = {test.method for one in board.gaps.changes for test in one.tests.values()}
    intro = (
        f"Change of each language's score against {escape(board.gaps.baseline)}, and p by "
        f"{listed(sorted(methods))}, after Holm's correction over the task's languages. "
        f"Bold: p below {_SURE}."
    )
    return ["## Changes by language", "", intro, "", *lines]


def _of_task(board: Board, task: str) -> list[str]:
    found = {
        arm: one
        for arm in board.arms
        if (one := board.gaps.change(arm, task)) is not None and one.tests
    }
    if not found:
        return []
    lines = [f"<details><summary>{escape(task)}: {_count(found)}</summary>", ""]
    for some in columns([*found]):
        header = ["language", *(escape(" × ".join(arm)) for arm in some)]
        lines += [*table(header, _rows(board, task, some, found), 1), ""]
    return [*lines, "</details>", ""]


def _count(found: Mapping[Arm, Change]) -> str:
    every = [test for one in found.values() for test in one.tests.values()]
    return f"{sum(map(_sure, every))} of {len(every)} changes told from zero"


def _rows(
    board: Board, task: str, some: Sequence[Arm], found: Mapping[Arm, Change]
) -> list[list[str]]:
    return [
        [language(code), *(_cell(found[arm].tests.get(code)) for arm in some)]
        for code in codes_of(board, task)
        if any(code in found[arm].tests for arm in some)
    ]


def _sure(test: Test) -> bool:
    return test.adjusted is not None and test.adjusted < _SURE


def _cell(test: Test | None) -> str:
    """`**+3.2** (0.004)`."""
    if test is None:
        return "—"
    told = signed(test.difference.value)
    if test.adjusted is None:
        return told
    p = "< 0.001" if test.adjusted < 0.001 else f"{test.adjusted:.3f}"
    return f"**{told}** ({p})" if _sure(test) else f"{told} ({p})"
