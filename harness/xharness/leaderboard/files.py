"""The files of a board folder: written together, and checked against a fresh rendering."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from xharness.errors import ConfigurationError, reason_of
from xharness.files import make_folder, write_bytes
from xharness.gaps import Metrics
from xharness.gaps.suites import Benchmark
from xharness.json_text import read_json
from xharness.leaderboard.board import Board, CardName, read
from xharness.leaderboard.exports import to_csv, to_json
from xharness.leaderboard.figures import Figure, differs, figures, svg
from xharness.leaderboard.figures.figure import FOLDER
from xharness.leaderboard.html import page
from xharness.leaderboard.markdown import DETAILS, details, render

_MANIFEST = "leaderboard.json"
_PAGES = ("leaderboard.md", "leaderboard.html", _MANIFEST, "leaderboard.csv")
_FIGURES, _DETAIL_PAGES = f"{FOLDER}/*.svg", f"{DETAILS}/*.md"
FILES = (*_PAGES, _FIGURES, _DETAIL_PAGES)
"""Patterns of all files that a board is made into, in its folder."""
_NO_FILE = "{}: there is no such file"


def pages(board: Board) -> dict[str, bytes]:
    """File name to content of all that is made from a board, but the figures."""
    detail_pages = details(board)
    names = [*_PAGES, *detail_pages, *(figure.path for figure in figures(board))]
    texts = {
        "leaderboard.md": render(board, detail_pages),
        "leaderboard.html": page(board),
        _MANIFEST: to_json(board, names),
        "leaderboard.csv": to_csv(board),
        **detail_pages,
    }
    return {name: text.encode() for name, text in texts.items()}


def write(
    folder: Path,
    metrics: Metrics,
    benchmarks: Iterable[Benchmark] = (),
    card_name: CardName | None = None,
) -> list[Path]:
    """Render what the folder holds; each file appears whole, and none if one can't be made.

    Raises:
        ConfigurationError: the folder lacks something, contradicts itself, or can't be written.
    """
    return save(read(folder, metrics, benchmarks, card_name), folder)


def save(board: Board, folder: Path) -> list[Path]:
    """Write the pages and figures of a board that is already measured.

    Raises:
        ConfigurationError: the folder can't be written.
    """
    contents = pages(board) | {figure.path: svg(figure) for figure in figures(board)}
    try:
        # Read before anything is written: the list of what was there is itself written over.
        stale = _stale(folder, contents)
        for name, content in contents.items():
            make_folder((folder / name).parent)
            write_bytes(folder / name, content)
        for path in stale:
            path.unlink()
    except OSError as error:
        reason = reason_of(error)
        raise ConfigurationError(f"can't write the board: {reason}", where=str(folder)) from None
    return [folder / name for name in contents]


def _stale(folder: Path, names: Iterable[str]) -> list[Path]:
    """What the board in the folder says it wrote, and this one does not.

    A file that no board names is its owner's, whatever its name and place.
    """
    current = {*names}
    names_of_board = [name for name in _manifest(folder) if name not in current and _is_ours(name)]
    return [path for name in sorted(names_of_board) if (path := folder / name).is_file()]


def _manifest(folder: Path) -> list[str]:
    """The files that the committed board lists; none where it can't be read."""
    try:
        names = read_json(folder / _MANIFEST)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _is_ours(name: str) -> bool:
    """Whether a name has the form of a figure or a page of details, so that no other is touched."""
    # The list is a file that anyone can edit: it must not make us delete `../study.yaml`.
    return any(PurePosixPath(name).match(pattern) for pattern in (_FIGURES, _DETAIL_PAGES)) and (
        name.count("/") == 1
    )


def check(
    folder: Path,
    metrics: Metrics,
    benchmarks: Iterable[Benchmark] = (),
    card_name: CardName | None = None,
) -> list[str]:
    """How the folder's files differ from a fresh rendering; empty where they are the same bytes.

    A figure that another release of matplotlib drew is compared by the numbers it shows.

    Raises:
        ConfigurationError: as `write`.
    """
    board = read(folder, metrics, benchmarks, card_name)
    board_figures, contents = figures(board), pages(board)
    names = [*contents, *(figure.path for figure in board_figures)]
    differences = [
        *(_differs(folder / name, content) for name, content in contents.items()),
        *(_drawn_otherwise(folder / figure.path, figure) for figure in board_figures),
        *(f"{path}: would not be there" for path in _stale(folder, names)),
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
    committed = path.read_bytes()
    if committed == content:
        return None
    lines = zip_longest(committed.split(b"\n"), content.split(b"\n"))
    number, is_, would = next(
        (number, *pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1]
    )
    return f"{path}:{number}: is {_excerpt(is_)}, would be {_excerpt(would)}"


def _excerpt(line: bytes | None) -> str:
    return "the end" if line is None else repr(line.decode(errors="replace")[:120])
