"""Tables: CSV and TSV files with one score a line, whatever their columns are called."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from xharness.elsewhere.entries import Entry, Over
from xharness.elsewhere.names import AVERAGE
from xharness.errors import ConfigurationError, suggestion

NEEDED = ("task", "metric", "model", "score")
COLUMNS = (
    *NEEDED, "lang", "seed", "split", "strategy", "source", "n", "protocol", "over", "suite",
    "note",
)  # fmt: skip


def table(path: Path, renamed: Mapping[str, str], fixed: Mapping[str, str]) -> list[Entry]:
    """The entries of a table; `renamed` maps our columns to the file's, `fixed` to one value.

    Raises:
        ConfigurationError: no such column, or a cell that cannot be read, with file and line.
    """
    _check(renamed, fixed)
    lines = decoded(path).split("\n")
    reader = csv.reader(lines, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(header, renamed, fixed, path)
        return [*_entries(reader, len(header), places, fixed, path)]
    except csv.Error as error:
        raise ConfigurationError(
            f"not a table: {error}", where=f"{path}:{reader.line_num}"
        ) from None


def decoded(path: Path) -> str:
    """The file's text.

    Raises:
        ConfigurationError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"not UTF-8 text ({error.reason})", where=str(path)) from None


def _check(renamed: Mapping[str, str], fixed: Mapping[str, str]) -> None:
    for name in (*renamed, *fixed):
        if name not in COLUMNS:
            raise ConfigurationError(
                f"there is no column '{name}' to fill", hint=suggestion(name, COLUMNS)
            )


def _places(
    header: Sequence[str], renamed: Mapping[str, str], fixed: Mapping[str, str], path: Path
) -> dict[str, int]:
    """Our columns to their place in the file."""
    for ours, theirs in renamed.items():
        if theirs not in header:
            raise ConfigurationError(
                f"--map {ours}={theirs}: there is no such column", where=f"{path}:1",
                hint=suggestion(theirs, header),
            )  # fmt: skip
    found = {name: header.index(renamed.get(name, name)) for name in COLUMNS
             if renamed.get(name, name) in header and name not in fixed}  # fmt: skip
    for name in NEEDED:
        if name not in found and name not in fixed:
            raise ConfigurationError(
                f"there is no column '{name}'", where=f"{path}:1",
                hint=f"--map {name}=COLUMN if it has another name, "
                f"--set {name}=VALUE if it is the same for all; "
                f"the columns are: {', '.join(header)}",
            )  # fmt: skip
    return found


def _entries(
    reader: Iterator[list[str]],
    width: int,
    places: Mapping[str, int],
    fixed: Mapping[str, str],
    path: Path,
) -> Iterator[Entry]:
    for cells in reader:
        where = f"{path}:{reader.line_num}"  # type: ignore[attr-defined]
        if not any(cells):
            continue
        if len(cells) != width:
            raise ConfigurationError(f"{len(cells)} cells under {width} columns", where=where)
        values = {name: cells[place].strip() for name, place in places.items()}
        yield _entry({**values, **fixed}, where, path.name)


def _entry(values: Mapping[str, str], where: str, file: str) -> Entry:
    for name in NEEDED:
        if not values[name]:
            raise ConfigurationError(f"'{name}' is empty", where=where)
    language = values.get("lang", "")
    over = values.get("over") or None
    if over is not None and over not in get_args(Over):
        raise ConfigurationError(
            f"'{over}' is not something to average over", where=where,
            expected=" or ".join(get_args(Over)),
        )  # fmt: skip
    return Entry(
        where=where,
        task=values["task"],
        metric=values["metric"],
        model=values["model"],
        value=_number(values["score"], "score", where),
        source=values.get("source") or file,
        language=None if language.casefold() in AVERAGE else language,
        seed=_whole(values.get("seed"), "seed", where),
        split=values.get("split") or None,
        strategy=values.get("strategy") or "single",
        n=_whole(values.get("n"), "n", where),
        protocol=values.get("protocol") or "fine-tuned",
        over=over,  # type: ignore[arg-type]
        suite=values.get("suite") or None,
        notes=(values["note"],) if values.get("note") else (),
    )


def _number(text: str, name: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{name}: '{text}' is not a number", where=where) from None


def _whole(text: str | None, name: str, where: str) -> int | None:
    if not text:
        return None
    number = _number(text, name, where)
    if not number.is_integer():
        raise ConfigurationError(f"{name}: '{text}' is not a whole number", where=where)
    return int(number)
