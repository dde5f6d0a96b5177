"""Sentences: those that the data marks by places, and a simple splitter where it marks none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard

Place = tuple[int, int]
"""Where a sentence starts, and where it ends (exclusive)."""

_END = re.compile(
    r"""(?P<last>[.!?…]["'”’)\]]*)\s+(?=["'“‘(\[]*[^\W_a-z])|(?P<wide>[。！？])|\n+"""
)
_ABBREVIATION = re.compile(r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Prof|Gen|Rev|etc|c))\.$")


def one_line(text: str) -> str:
    """`text` without line breaks and runs of blanks."""
    return " ".join(text.split())


def split(text: str) -> Iterator[Place]:
    """Sentences of English text: they end at . ! ? … before a capital, a digit or a quote.

    An initial or a common title before the dot does not end one. That is simple on purpose; it
    only makes training pairs, test sets come with sentences of their own.
    """
    start = 0
    for found in _END.finditer(text):
        end = max(found.start(), found.end("last"), found.end("wide"))
        if not _ABBREVIATION.search(text, start, end):
            yield start, end
            start = found.end()
    if start < len(text):
        yield start, len(text)


def holding(place: int, sentences: Iterator[Place]) -> Place | None:
    """The first sentence that `place` lies in."""
    return next((one for one in sentences if one[0] <= place < one[1]), None)


def places(value: Any, card: TaskCard, item: str) -> list[Place]:
    """Sentences as the data marks them: a list of {start, end}, or a mapping of two lists.

    Raises:
        UnavailableError: it is neither.
    """
    try:
        if isinstance(value, dict):
            return [*zip(map(int, value["start"]), map(int, value["end"]), strict=True)]
        return [(int(one["start"]), int(one["end"])) for one in value]
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(
            "these are not places of sentences",
            where=f"card '{card.name}', item {item}",
            expected="[{start: 0, end: 17}, ...]",
        ) from None


def spelt(text: str, value: Any, card: TaskCard, item: str) -> str:
    """The sentences that `value` marks in `text`, joined by blanks, on one line."""
    return one_line(" ".join(text[start:end] for start, end in places(value, card, item)))
