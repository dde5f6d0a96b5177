"""Sentences out of CoNLL files: CoNLL-U by the names of its columns, others by their places.

The form of CoNLL-U is https://universaldependencies.org/format.html: a line with a range (`1-2`)
is a surface token whose words follow on their own lines, one with a decimal (`8.1`) an empty node;
neither is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from xharness import UnavailableError, suggestion

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
DEFAULT: Mapping[str, str | int] = {"tokens": "form", "tags": "upos"}

_WORD = re.compile(r"[0-9]+")
_NO_WORD = re.compile(r"[0-9]+-[0-9]+|[0-9]+\.[0-9]+")


def check(columns: Mapping[str, str | int]) -> None:
    """Refuse columns that no CoNLL file has.

    Raises:
        ValueError: an unknown name, a negative place, names and places together, or none.
    """
    # `id` is the sentence's, which each row gets from its file and number.
    if not columns or "id" in columns:
        raise ValueError("'columns' must name at least one column, and none of them 'id'")
    if len({isinstance(column, str) for column in columns.values()}) > 1:
        raise ValueError("'columns' must be all CoNLL-U names or all places")
    for column in columns.values():
        if isinstance(column, str) and column not in COLUMNS:
            raise ValueError(f"'{column}' is no CoNLL-U column; {suggestion(column, COLUMNS)}")
        if isinstance(column, int) and column < 0:
            raise ValueError("places in 'columns' count from 0")


def sentences(
    lines: Iterable[str], path: Path, columns: Mapping[str, str | int], delimiter: str | None
) -> Iterator[dict[str, Any]]:
    """One row for each sentence: an id `<file>:<n>`, and a list for each of `columns`.

    Raises:
        UnavailableError: file and line of a line that is no word.
    """
    # Ids must not change where a copy is compressed.
    name = path.name.split(".")[0]
    words: list[list[str]] = []
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            word = _word(line.rstrip("\r\n"), f"{path}:{number}", columns, delimiter)
            words += [word] if word else []
        # Several blank lines in a row end one sentence.
        elif words:
            count += 1
            yield _row(f"{name}:{count}", columns, words)
            words = []
    if words:
        yield _row(f"{name}:{count + 1}", columns, words)


def _row(item: str, columns: Mapping[str, Any], words: list[list[str]]) -> dict[str, Any]:
    values = map(list, zip(*words, strict=True))
    return {"id": item, **dict(zip(columns, values, strict=True))}


def _word(
    line: str, location: str, columns: Mapping[str, str | int], delimiter: str | None
) -> list[str] | None:
    """The wanted cells of one line; None for a comment and for what is no word."""
    indexes = [column for column in columns.values() if isinstance(column, int)]
    if indexes:
        cells = line.split(delimiter)
        # A boundary of documents in the files of the CoNLL shared tasks, and no word.
        if line.startswith("-DOCSTART-"):
            return None
        # Before comments are looked for: in these files a word may begin with `#`.
        if len(cells) > max(indexes):
            return [cells[index] for index in indexes]
        if line.startswith("#"):
            return None
        raise UnavailableError(
            f"{len(cells)} columns", where=location, expected=f"at least {max(indexes) + 1}"
        )
    if line.startswith("#"):
        return None
    cells = line.split(delimiter or "\t")
    if len(cells) != len(COLUMNS):
        raise UnavailableError(
            f"{len(cells)} columns",
            where=location,
            expected=f"the {len(COLUMNS)} of CoNLL-U, separated by {delimiter or 'tabs'}",
        )
    if _NO_WORD.fullmatch(cells[0]):
        return None
    if not _WORD.fullmatch(cells[0]) or not cells[1].strip():
        raise UnavailableError(
            f"'{cells[0]}' '{cells[1]}' is no word", where=location, expected="a number and a form"
        )
    return [cells[COLUMNS.index(str(column))] for column in columns.values()]
