"""Sentences: those that the data marks by offsets, and a simple splitter where it marks none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard

Offsets = tuple[int, int]
"""Where a sentence starts, and where it ends (exclusive)."""

_END = re.compile(
    # A stop with its closing quotes belongs to the sentence, and what follows must not begin with a
    # small Latin letter. Chinese and Japanese stops are followed by no blank.
    r"""(?P<last>[.!?…]["'”’)\]]*)\s+(?=["'“‘(\[]*[^\W_a-z])|(?P<wide>[。！？])|\n+"""
)
_ABBREVIATION = re.compile(r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Prof|Gen|Rev|etc|c))\.$")


def one_line(text: str) -> str:
    """`text` without line breaks and runs of blanks."""
    return " ".join(text.split())


def split(text: str) -> Iterator[Offsets]:
    """Sentences of English text: they end at . ! ? … before a capital, a digit or a quote.

    An initial or a common title before the dot does not end one. That is simple on purpose; it
    only makes training pairs, test sets come with sentences of their own.
    """
    start = 0
    for boundary in _END.finditer(text):
        end = max(boundary.start(), boundary.end("last"), boundary.end("wide"))
        if not _ABBREVIATION.search(text, start, end):
            yield start, end
            start = boundary.end()
    if start < len(text):
        yield start, len(text)


def holding(offset: int, sentences: Iterator[Offsets]) -> Offsets | None:
    """The first sentence that `offset` lies in."""
    return next(((start, end) for start, end in sentences if start <= offset < end), None)


def offsets(value: Any, card: TaskCard, item: str) -> list[Offsets]:
    """Sentences as the data marks them: a list of {start, end}, or a mapping of two lists.

    Raises:
        UnavailableError: it is neither.
    """
    try:
        if isinstance(value, dict):
            return [*zip(map(int, value["start"]), map(int, value["end"]), strict=True)]
        return [(int(span["start"]), int(span["end"])) for span in value]
    except (KeyError, TypeError, ValueError):
        raise UnavailableError(
            "these are not offsets of sentences",
            where=f"card '{card.name}', item {item}",
            expected="[{start: 0, end: 17}, ...]",
        ) from None


def joined(text: str, value: Any, card: TaskCard, item: str) -> str:
    """The sentences that `value` marks in `text`, joined by blanks, on one line."""
    return one_line(" ".join(text[start:end] for start, end in offsets(value, card, item)))
