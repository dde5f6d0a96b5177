"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

Cells = Mapping[str, Any]

_LONG = 1000  # rows from which a table is set without rich, which takes a millisecond for each


def show_table(
    rows: Sequence[Cells], *, title: str | None = None, right: Sequence[str] = (), err: bool = False
) -> None:
    """Print `rows`, columns named after their keys; those named in `right` hold numbers."""
    if not rows:
        return
    if len(rows) > _LONG:
        _print_long(
            [{name: _cell(value) for name, value in row.items()} for row in rows],
            title,
            right,
            err=err,
        )
        return
    table = Table(box=box.SIMPLE_HEAD)
    for name in rows[0]:
        # Folded, not cut: the end of a reason is what helps.
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    _print(table, title, err=err)


def show_facts(facts: Cells) -> None:
    """Print names and values in two columns."""
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, _cell(value))
    _print(table, None, err=False)


def _print_long(
    rows: Sequence[Mapping[str, str]], title: str | None, right: Sequence[str], *, err: bool
) -> None:
    """The rows in columns as wide as their widest cell; nothing is folded."""
    names = [*rows[0]]
    cells = [names, *([*row.values()] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        blanks = (" " * (wide - cell_len(cell)) for wide, cell in zip(widths, row, strict=True))
        padded = (
            blank + cell if name in right else cell + blank
            for name, cell, blank in zip(names, row, blanks, strict=True)
        )
        return "  " + "   ".join(padded).rstrip()

    head, *body = map(line, cells)
    rule = " " + "─" * (sum(widths) + 3 * len(widths))
    titles = [] if title is None else [title, ""]
    print("\n".join([*titles, head, rule, *body]), file=sys.stderr if err else sys.stdout)


def _print(table: Table, title: str | None, *, err: bool) -> None:
    text = StringIO()
    console = _console(text, err=err)
    # By itself: as a part of the table it would be broken to the table's width.
    if title is not None:
        console.print(title, style="bold")
    console.print(table)
    # Blanks at the ends of lines would make every golden file and copied table differ.
    lines = (line.rstrip() for line in text.getvalue().strip("\n").splitlines())
    print("\n".join(lines), file=sys.stderr if err else sys.stdout)


def show_json(value: Any) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def _console(text: StringIO, *, err: bool) -> Console:
    """As wide as the terminal; where there is none, wide enough to break no line.

    It writes to memory: rich would flush a standard output that nobody reads, and exit with 1.
    """
    real = Console(stderr=err)
    terminal = real.is_terminal
    return Console(
        file=text, force_terminal=terminal, width=real.width if terminal else 1000,
        color_system="auto" if terminal else None, highlight=False, markup=False, emoji=False,
    )  # fmt: skip


def _cell(value: Any) -> str:
    # Not empty: a reader must see that there is no value.
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Sequence):
        return " ".join(map(str, value))
    return f"{value:,}".replace(",", " ") if isinstance(value, int) else str(value)
