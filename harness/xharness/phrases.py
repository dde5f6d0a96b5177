"""Lists and counts in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


def listed(names: Iterable[str], *, limit: int | None = None) -> str:
    """`a`, `a and b`, `a, b and c`, each name once; beyond `limit`, `a, b and 4 more`."""
    words = [*dict.fromkeys(names)]
    # One more than the limit is named after all: "and 1 more" would be as long as its name.
    if limit is not None and len(words) > limit + 1:
        words = [*words[:limit], f"{len(words) - limit} more"]
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def counted(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def html_table(rows: Sequence[Mapping[str, str]], caption: str = "") -> str:
    """Rows of text as a table of HTML, for notebooks; columns named after the keys."""
    heads = "".join(f"<th>{escape(name)}</th>" for name in (rows[0] if rows else ()))
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row.values()) + "</tr>"
        for row in rows
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
