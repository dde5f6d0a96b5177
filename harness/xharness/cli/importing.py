"""`xharness import`: results from elsewhere become published rows of a board's folder."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness import importers
from xharness.console import show_json, show_table
from xharness.errors import ConfigurationError
from xharness.files import write_text
from xharness.gaps import scores
from xharness.gaps.scores import Mean, Row, Score
from xharness.importers.files import ImportFormat, ScoreUnit
from xharness.importers.names import arm_label
from xharness.leaderboard.board import SCORES, STUDY
from xharness.leaderboard.published_averages import claims
from xharness.session.session import open_catalogue
from xharness.spec import documents

_NAMED = 8  # names left out that are told before they are counted


@dataclass(frozen=True)
class ImportOptions:
    """What is imported, from which files, to where."""

    files: tuple[Path, ...]
    to: Path | None
    renamed: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    unit: ScoreUnit | None = None
    format: ImportFormat | None = None
    plugins: tuple[str, ...] = ()
    cards: tuple[Path, ...] = ()


def bring(wanted: ImportOptions, *, as_json: bool) -> None:
    """Read, check, write all or nothing, and say what came in and what did not.

    Raises:
        ConfigurationError: whatever is wrong with the files, with their lines.
    """
    catalogue = open_catalogue(wanted.plugins, wanted.cards)
    found = importers.read(wanted.files, _reading(wanted), catalogue)
    rows = importers.rows(found.reported_scores, catalogue)
    if not rows:
        names = ", ".join(found.names_without_card)
        raise ConfigurationError(
            "no row could be made", where=", ".join(map(str, wanted.files)),
            hint=f"no card stands for: {names}" if names else None,
        )  # fmt: skip
    folder = wanted.to or Path("runs", wanted.files[0].stem)
    added = _write(folder, rows)
    if as_json:
        show_json(_told(folder, rows, added, found.names_without_card))
        return
    show_table(_table(rows), title=f"published rows, {added} of them new", right=("rows",))
    _warn(rows, found.names_without_card)
    print(folder / SCORES)
    print(f"to see them: xharness leaderboard build {shlex.quote(str(folder))}", file=sys.stderr)


def _reading(wanted: ImportOptions) -> importers.ImportOptions:
    return importers.ImportOptions(
        _pairs(wanted.renamed, "--map"),
        _pairs(wanted.fixed, "--set"),
        wanted.unit,
        wanted.format,
    )


def _pairs(given: Iterable[str], flag: str) -> dict[str, str]:
    """`score=f1` as `{score: f1}`."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise ConfigurationError(f"{flag} {text}", expected="NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def _write(folder: Path, rows: Sequence[Row]) -> int:
    """Add what is new to the folder's scores; how many rows that are."""
    path = folder / SCORES
    old = list(scores.read(path)) if path.is_file() else []
    clashes = importers.clashes(old, rows)
    if clashes:
        told = "\n".join(f"{path}: {one}" for one in clashes)
        raise ConfigurationError(told, hint="name another folder with --to")
    new = [row for row in rows if row not in old]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scores.write(path, [*old, *new])
        if not (folder / STUDY).exists():
            write_text(folder / STUDY, _study(folder, [*old, *new]))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=str(folder)) from None
    return len(new)


def _study(folder: Path, rows: Sequence[Row]) -> str:
    """The question that a board of these rows answers."""
    stated = [row for row in rows if isinstance(row, Score | Mean)]
    cells = [row for row in stated if isinstance(row, Score)] or stated
    return documents.dump(
        {
            "name": arm_label(folder.resolve().name) or "imported",
            "title": "Published results",
            "models": [
                {"name": name, "backend": "published"}
                for name in dict.fromkeys(row.model for row in cells)
            ],
            "strategies": list(dict.fromkeys(row.strategy for row in cells)),
            "targets": list(dict.fromkeys(_about(row) for row in cells)),
        }
    )


def _table(rows: Iterable[Score | Mean]) -> list[dict[str, Any]]:
    found = Counter(
        (row.model, row.strategy, _about(row), row.metric, row.source,
         "language" if isinstance(row, Score) else "average")
        for row in rows
    )  # fmt: skip
    names = ("model", "strategy", "task", "metric", "source", "one row a")
    return [dict(zip(names, key, strict=True)) | {"rows": n} for key, n in found.items()]


def _about(row: Score | Mean) -> str:
    """The task, or the suite, that a row speaks of."""
    return row.task if isinstance(row, Score) else str(row.task or row.suite)


def _contradicted(rows: Sequence[Score | Mean]) -> list[str]:
    means = [row for row in rows if isinstance(row, Mean)]
    cells = [row for row in rows if isinstance(row, Score)]
    return [
        f"{one.mean.model}, {one.mean.task or one.mean.suite}, {one.mean.metric}: the stated "
        f"average {round(one.mean.mean, 2)} is contradicted by its own cells: {one.reading} gives "
        f"{one.derived:.2f}"
        for one in claims(means, cells)
        if one.contradicted
    ]


def _warn(rows: Sequence[Score | Mean], left_out: Sequence[str]) -> None:
    for told in _contradicted(rows):
        print(f"warning: {told}", file=sys.stderr)
    if left_out:
        more = len(left_out) - _NAMED
        shown = ", ".join(left_out[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        print(f"left out, no card stands for them: {shown}", file=sys.stderr)


def _told(
    folder: Path, rows: Sequence[Score | Mean], added: int, left_out: Sequence[str]
) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "rows": len(rows),
        "added": added,
        "left_out": list(left_out),
        "contradicted": _contradicted(rows),
    }
