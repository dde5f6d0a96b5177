"""Language by language: what a strategy changes, and whether a paired test says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xharness.gaps import ArmName, Change, LanguageTest
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections.languages import codes_of, tables_of_arms
from xharness.leaderboard.text import escape, language, p_text, signed, table
from xharness.phrases import listed

_LEVEL = 0.05


def section(board: Board) -> list[str]:
    """A fold for each task that has paired tests."""
    lines = [line for task in board.tasks for line in _of_task(board, task)]
    if not lines:
        return []
    methods = {test.method for change in board.gaps.changes for test in change.tests.values()}
    intro = (
        f"Change of each language's score against {escape(board.gaps.baseline)}, and p by "
        f"{listed(sorted(methods))}, after Holm's correction over the task's languages. "
        f"Bold: p below {_LEVEL}."
    )
    return ["## Changes by language", "", intro, "", *lines]


def _of_task(board: Board, task: str) -> list[str]:
    changes = {
        arm: change
        for arm in board.arms
        if (change := board.changes.get((arm, task))) is not None and change.tests
    }
    if not changes:
        return []
    lines = [f"<details><summary>{escape(task)}: {_count(changes)}</summary>", ""]
    for table_arms in tables_of_arms([*changes]):
        header = ["language", *(escape(arm.label) for arm in table_arms)]
        lines += [*table(header, _rows(board, task, table_arms, changes), 1), ""]
    return [*lines, "</details>", ""]


def _count(changes: Mapping[ArmName, Change]) -> str:
    all_tests = [test for change in changes.values() for test in change.tests.values()]
    return f"{sum(map(_is_significant, all_tests))} of {len(all_tests)} changes told from zero"


def _rows(
    board: Board, task: str, table_arms: Sequence[ArmName], changes: Mapping[ArmName, Change]
) -> list[list[str]]:
    return [
        [language(code), *(_cell(changes[arm].tests.get(code)) for arm in table_arms)]
        for code in codes_of(board, task)
        # Languages that none of the table's arms was tested in would be lines of dashes.
        if any(code in changes[arm].tests for arm in table_arms)
    ]


def _is_significant(test: LanguageTest) -> bool:
    return test.adjusted is not None and test.adjusted < _LEVEL


def _cell(test: LanguageTest | None) -> str:
    """`**+3.2** (0.004)`."""
    if test is None:
        return "—"
    difference = signed(test.difference.value)
    if test.adjusted is None:
        return difference
    p = p_text(test.adjusted)
    return f"**{difference}** ({p})" if _is_significant(test) else f"{difference} ({p})"
