"""The files of a board folder: written together, and checked against a fresh rendering."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from xharness.errors import ConfigurationError
from xharness.gaps import Metrics
from xharness.leaderboard.board import Board, read
from xharness.leaderboard.exports import to_csv, to_json
from xharness.leaderboard.markdown import render

_PAGES = {"leaderboard.md": render, "leaderboard.json": to_json, "leaderboard.csv": to_csv}


def pages(board: Board) -> dict[str, bytes]:
    """File name to content of all that is made from a board."""
    return {name: make(board).encode() for name, make in _PAGES.items()}


def write(folder: Path, metrics: Metrics) -> list[Path]:
    """Render what the folder holds; each file appears whole, and none if one can't be made.

    Raises:
        ConfigurationError: the folder lacks something, contradicts itself, or can't be written.
    """
    return save(read(folder, metrics), folder)


def save(board: Board, folder: Path) -> list[Path]:
    """Write the pages of a board that is already measured.

    Raises:
        ConfigurationError: the folder can't be written.
    """
    made = pages(board)
    try:
        for name, content in made.items():
            partial = folder / f"{name}.partial"
            partial.write_bytes(content)
            partial.replace(folder / name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"can't write the board: {reason}", where=str(folder)) from None
    return [folder / name for name in made]


def check(folder: Path, metrics: Metrics) -> list[str]:
    """How the folder's files differ from a fresh rendering; empty where they are the same bytes.

    Raises:
        ConfigurationError: as `write`.
    """
    return [
        told
        for name, content in pages(read(folder, metrics)).items()
        if (told := _differs(folder / name, content)) is not None
    ]


def _differs(path: Path, content: bytes) -> str | None:
    if not path.is_file():
        return f"{path}: there is no such file"
    found = path.read_bytes()
    if found == content:
        return None
    lines = zip_longest(found.split(b"\n"), content.split(b"\n"))
    number, is_, would = next(
        (number, *pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1]
    )
    return f"{path}:{number}: is {_shown(is_)}, would be {_shown(would)}"


def _shown(line: bytes | None) -> str:
    return "the end" if line is None else repr(line.decode(errors="replace")[:120])
