"""BUCC 2018: comparable texts of two languages, and the few sentences that translate each other.

The publisher packs three files into an archive, `*.gold` beside the texts `*.en` and `*.<other>`,
each line `id TAB text` or `id TAB id`; the hub has one row with lists and pairs of line numbers.
Both become one row for each sentence: {id, text}, and on the side that is asked about `match`, the
ids of its translations in the English text.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from xharness import Row, UnavailableError
from xharness_hub.unpacking import most_unpacked, too_large

Side = Literal["bucc", "bucc_english"]
"""The text that is asked about, and the English one in which translations are looked for."""
_Pair = tuple[str, str]


def rows_of_archive(path: Path, side: Side) -> Iterator[Row]:
    """The rows of one side out of an archive, which is read without unpacking it onto the disk.

    Raises:
        UnavailableError: it is no such archive, or a line (member:line) is none of its lines.
    """
    pairs_of: dict[str, list[_Pair]] = {}
    try:
        with tarfile.open(path) as archive:
            room = most_unpacked(path)
            for member in archive:
                room -= member.size
                if room < 0:
                    raise too_large(path)
                name = PurePosixPath(member.name)
                # None for links and devices, which must not lead out of the archive.
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    location = f"{path}: {name}"
                    parts = {".en": "english", ".gold": "gold"}
                    pairs_of[parts.get(name.suffix, "other")] = [*_pairs(file, location)]
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise UnavailableError(f"not a readable archive: {error}", where=str(path)) from None
    if {*pairs_of} != {"english", "gold", "other"}:
        raise UnavailableError(
            "not a BUCC archive", where=str(path), expected="files *.gold, *.en and *.<language>"
        )
    return _rows(pairs_of["other" if side == "bucc" else "english"], pairs_of["gold"], side)


def rows_of_lists(rows: Iterable[Row], side: Side, location: str) -> Iterator[Row]:
    """The same out of rows with the lists `sentence1`, `sentence2` and `gold` (lines from 1).

    Raises:
        UnavailableError: the rows have no such columns.
    """
    for row in rows:
        try:
            texts: Sequence[str] = row["sentence1" if side == "bucc" else "sentence2"]
            gold = [(str(source), str(target)) for source, target in row["gold"]]
        except (KeyError, TypeError, ValueError):
            raise UnavailableError(
                "not the rows of BUCC",
                where=location,
                expected="columns sentence1, sentence2 and gold, each a list",
            ) from None
        yield from _rows([(str(line), text) for line, text in enumerate(texts, 1)], gold, side)


def _rows(sentences: Sequence[_Pair], gold: Iterable[_Pair], side: Side) -> Iterator[Row]:
    if side == "bucc_english":
        yield from ({"id": item, "text": text} for item, text in sentences)
        return
    # A sentence may have several translations in the other text, and then each is right.
    matches: dict[str, list[str]] = {}
    for source, target in gold:
        matches.setdefault(source, []).append(target)
    for item, text in sentences:
        yield {"id": item, "text": text, "match": matches.get(item, [])}


def _pairs(file: IO[bytes], location: str) -> Iterator[_Pair]:
    # Only line feeds end a line: a sentence may hold any other separator.
    lines = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    for number, line in enumerate(lines, 1):
        item, tab, text = line.rstrip("\r\n").partition("\t")
        if not tab:
            raise UnavailableError(
                "no tab in this line", where=f"{location}:{number}", expected="an id, a tab, a text"
            )
        yield item, text
