"""Reasons beside the lines: as many as a reader misses, none so long that it hides the code.

A comment says what code can't: why this order, whose script, which failure. Docstrings, which say
what a thing is, count neither as comments nor as code, and neither do orders to tools.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from typing import NamedTuple

import pytest

from tests.conftest import REPOSITORY
from tests.laws.test_vocabulary import CODE

MOST_CODE_PER_COMMENT = 30
"""Lines of code for each line of comments, over all of the code."""
MOST_CODE_PER_COMMENT_ON_A_FLOOR = 65
"""The same on one floor of the core, or in one plugin: none lives on its neighbours' reasons."""
LEAST_CODE = 150
"""Lines of code below which a floor is too small to be counted by itself."""
LONGEST = 8
"""Lines of one comment: what takes longer is a docstring, or a document."""

_ORDER = re.compile(r"#\s*(type:|noqa|fmt:|pragma|mypy:|ruff:|!)")
"""What a tool reads, and nobody else."""


class LineCounts(NamedTuple):
    """Lines of comments and of code, and how long the longest comment is."""

    comments: int
    code: int
    longest: int = 0


def counted(source: str) -> LineCounts:
    """The lines of one module; a comment behind code counts as a line of both."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    comments, comment_lines = set(), set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            if not token.line[: token.start[1]].strip():
                comment_lines.add(token.start[0])
            if not _ORDER.match(token.string):
                comments.add(token.start[0])
    code = [
        number
        for number, line in enumerate(source.splitlines(), 1)
        if line.strip() and number not in docstrings | comment_lines
    ]
    return LineCounts(len(comments), len(code), _longest(comments & comment_lines))


def _longest(lines: set[int]) -> int:
    longest = length = 0
    for line in sorted(lines):
        length = length + 1 if line - 1 in lines else 1
        longest = max(longest, length)
    return longest


def floors() -> dict[str, dict[str, LineCounts]]:
    """Floor of the core, or plugin, to the counts of its modules."""
    modules: dict[str, dict[str, LineCounts]] = defaultdict(dict)
    for folder in CODE:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            name = path.relative_to(REPOSITORY)
            # Folders of the core are floors, and what lies beside them is one; plugins are whole.
            floor = "/".join(name.parent.parts[: 3 if name.parts[0] == "harness" else 2])
            modules[floor][str(name)] = counted(path.read_text(encoding="utf-8"))
    return modules


def test_reasons_stand_beside_the_lines() -> None:
    totals = {
        floor: (
            sum(counts.comments for counts in modules.values()),
            sum(counts.code for counts in modules.values()),
        )
        for floor, modules in floors().items()
    }
    comments = sum(count for count, _ in totals.values())
    code = sum(lines for _, lines in totals.values())
    table = "\n".join(
        f"{floor}: one line of comments in {lines / max(count, 1):.0f}"
        for floor, (count, lines) in sorted(totals.items(), key=lambda entry: -entry[1][1])
    )
    assert code <= MOST_CODE_PER_COMMENT * comments, (
        f"one line of comments in {code / comments:.1f}: say why where the code can't\n{table}"
    )
    floors_without_reasons = [
        floor
        for floor, (count, lines) in totals.items()
        if lines >= LEAST_CODE and lines > MOST_CODE_PER_COMMENT_ON_A_FLOOR * count
    ]
    assert not floors_without_reasons, (
        f"{', '.join(floors_without_reasons)}: say why where the code can't\n{table}"
    )


def test_a_comment_is_no_essay() -> None:
    too_long = [
        f"{name}: {counts.longest} lines"
        for modules in floors().values()
        for name, counts in modules.items()
        if counts.longest > LONGEST
    ]
    assert not too_long, "\n".join(too_long)


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        ("a = 1\n", (0, 1, 0)),
        ("# why\na = 1\n", (1, 1, 1)),
        ("a = 1  # why\n", (1, 1, 0)),
        ("# why\n# and why\n\na = 1\n# why\n", (3, 1, 2)),
        ("a = 1  # noqa: S101\nb = 2  # type: ignore\n# fmt: off\n", (0, 2, 0)),
        ('"""What it is.\n\n# no comment\n"""\na = "# none"\n', (0, 1, 0)),
    ],
)
def test_comments_are_counted_and_orders_to_tools_are_not(
    source: str, counts: tuple[int, int, int]
) -> None:
    assert counted(source) == counts
