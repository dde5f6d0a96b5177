"""The files of a board folder: written together, and checked against a fresh rendering."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

from xharness.errors import ConfigurationError
from xharness.files import write_bytes
from xharness.gaps import Metrics
from xharness.gaps.suites import Benchmark
from xharness.leaderboard.board import Board, read
from xharness.leaderboard.exports import to_csv, to_json
from xharness.leaderboard.figures import Figure, differs, figures, svg
from xharness.leaderboard.figures.figure import FOLDER
from xharness.leaderboard.html import page
from xharness.leaderboard.markdown import render

_PAGES = {
    "leaderboard.md": render,
    "leaderboard.html": page,
    "leaderboard.json": to_json,
    "leaderboard.csv": to_csv,
}
_FIGURES = f"{FOLDER}/*.svg"
FILES = (*_PAGES, _FIGURES)
"""Patterns of all files that a board is made into, in its folder."""
_NO_FILE = "{}: there is no such file"


def pages(board: Board) -> dict[str, bytes]:
    """File name to content of all that is made from a board, but the figures."""
    return {name: make(board).encode() for name, make in _PAGES.items()}


def write(folder: Path, metrics: Metrics, benchmarks: Iterable[Benchmark] = ()) -> list[Path]:
    """Render what the folder holds; each file appears whole, and none if one can't be made.

    Raises:
        ConfigurationError: the folder lacks something, contradicts itself, or can't be written.
    """
    return save(read(folder, metrics, benchmarks), folder)


def save(board: Board, folder: Path) -> list[Path]:
    """Write the pages and figures of a board that is already measured.

    Raises:
        ConfigurationError: the folder can't be written.
    """
    contents = pages(board) | {figure.path: svg(figure) for figure in figures(board)}
    try:
        for name, content in contents.items():
            (folder / name).parent.mkdir(exist_ok=True)
            write_bytes(folder / name, content)
        for path in _stale(folder, contents):
            path.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"can't write the board: {reason}", where=str(folder)) from None
    return [folder / name for name in contents]


def _stale(folder: Path, names: Iterable[str]) -> list[Path]:
    """Figures of an earlier board that this one does not have."""
    current = {folder / name for name in names}
    return sorted(path for path in folder.glob(_FIGURES) if path not in current)


def check(folder: Path, metrics: Metrics, benchmarks: Iterable[Benchmark] = ()) -> list[str]:
    """How the folder's files differ from a fresh rendering; empty where they are the same bytes.

    A figure that another release of matplotlib drew is compared by the numbers it shows.

    Raises:
        ConfigurationError: as `write`.
    """
    board = read(folder, metrics, benchmarks)
    board_figures = figures(board)
    differences = [
        *(_differs(folder / name, content) for name, content in pages(board).items()),
        *(_drawn_otherwise(folder / figure.path, figure) for figure in board_figures),
        *(
            f"{path}: would not be there"
            for path in _stale(folder, [figure.path for figure in board_figures])
        ),
    ]
    return [difference for difference in differences if difference is not None]


def _drawn_otherwise(path: Path, figure: Figure) -> str | None:
    if not path.is_file():
        return _NO_FILE.format(path)
    difference = differs(path.read_bytes(), figure)
    return None if difference is None else f"{path}: {difference}"


def _differs(path: Path, content: bytes) -> str | None:
    if not path.is_file():
        return _NO_FILE.format(path)
    content_there = path.read_bytes()
    if content_there == content:
        return None
    lines = zip_longest(content_there.split(b"\n"), content.split(b"\n"))
    number, is_, would = next(
        (number, *pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1]
    )
    return f"{path}:{number}: is {_shown(is_)}, would be {_shown(would)}"


def _shown(line: bytes | None) -> str:
    return "the end" if line is None else repr(line.decode(errors="replace")[:120])
