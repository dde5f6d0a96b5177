"""Tables: CSV and TSV files with one score a line, whatever their columns are called."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from xharness.errors import ConfigurationError, reason_of, suggestion
from xharness.importers.names import AVERAGE_NAMES
from xharness.importers.reported import AveragedOver, ReportedScore

NEEDED = ("task", "metric", "model", "score")
COLUMNS = (
    *NEEDED, "language", "seed", "split", "strategy", "source", "n", "protocol",
    "averaged_over", "suite", "note",
)  # fmt: skip


def read_table(
    path: Path, column_names: Mapping[str, str], constants: Mapping[str, str]
) -> list[ReportedScore]:
    """The scores of a table; `column_names` maps our columns to the file's, `constants` to one
    value.

    Raises:
        ConfigurationError: no such column, or a cell that cannot be read, with file and line.
    """
    _check(column_names, constants)
    # Not `splitlines`, which breaks at separators that a cell may hold.
    lines = read_text(path).split("\n")
    # Strict: a quote that nothing closes would else swallow the lines after it.
    reader = csv.reader(lines, delimiter="\t" if path.suffix == ".tsv" else ",", strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        column_indexes = _column_indexes(header, column_names, constants, path)
        return [*_reported_scores(reader, len(header), column_indexes, constants, path)]
    except csv.Error as error:
        raise ConfigurationError(
            f"not a table: {error}", where=f"{path}:{reader.line_num}"
        ) from None


def read_text(path: Path) -> str:
    """The file's text.

    Raises:
        ConfigurationError: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(reason_of(error), where=str(path)) from None


def _check(column_names: Mapping[str, str], constants: Mapping[str, str]) -> None:
    for name in (*column_names, *constants):
        if name not in COLUMNS:
            raise ConfigurationError(
                f"there is no column '{name}' to fill", hint=suggestion(name, COLUMNS)
            )


def _column_indexes(
    header: Sequence[str], column_names: Mapping[str, str], constants: Mapping[str, str], path: Path
) -> dict[str, int]:
    """Our columns to their place in the file."""
    for column_name, file_column in column_names.items():
        if file_column not in header:
            raise ConfigurationError(
                f"--map {column_name}={file_column}: there is no such column", where=f"{path}:1",
                hint=suggestion(file_column, header),
            )  # fmt: skip
    indexes = {name: header.index(column_names.get(name, name)) for name in COLUMNS
             if column_names.get(name, name) in header and name not in constants}  # fmt: skip
    for name in NEEDED:
        if name not in indexes and name not in constants:
            raise ConfigurationError(
                f"there is no column '{name}'", where=f"{path}:1",
                hint=f"--map {name}=COLUMN if it has another name, "
                f"--set {name}=VALUE if it is the same for all; "
                f"the columns are: {', '.join(header)}",
            )  # fmt: skip
    # Without its languages every line would pass for an average.
    for column in header:
        if "language" not in {*indexes, *constants} and column.casefold().startswith("lang"):
            raise ConfigurationError(
                f"the column '{column}' is not read", where=f"{path}:1",
                hint=f"--map language={column}",
            )  # fmt: skip
    return indexes


def _reported_scores(
    reader: Iterator[list[str]],
    width: int,
    column_indexes: Mapping[str, int],
    constants: Mapping[str, str],
    path: Path,
) -> Iterator[ReportedScore]:
    for cells in reader:
        location = f"{path}:{reader.line_num}"  # type: ignore[attr-defined]
        # Spreadsheets leave rows of empty cells behind.
        if not any(cells):
            continue
        if len(cells) != width:
            raise ConfigurationError(f"{len(cells)} cells under {width} columns", where=location)
        values = {name: cells[index].strip() for name, index in column_indexes.items()}
        yield _reported_score({**values, **constants}, location, path.name)


def _reported_score(values: Mapping[str, str], location: str, file: str) -> ReportedScore:
    for name in NEEDED:
        if not values[name]:
            raise ConfigurationError(f"'{name}' is empty", where=location)
    # An empty cell is an average; so are the words that tables use for one.
    language = values.get("language", "")
    averaged_over = values.get("averaged_over") or None
    if averaged_over is not None and averaged_over not in get_args(AveragedOver):
        raise ConfigurationError(
            f"'{averaged_over}' is not something to average over", where=location,
            expected=" or ".join(get_args(AveragedOver)),
        )  # fmt: skip
    return ReportedScore(
        location=location,
        task=values["task"],
        metric=values["metric"],
        model=values["model"],
        value=_number(values["score"], "score", location),
        source=values.get("source") or file,
        language=None if language.casefold() in AVERAGE_NAMES else language,
        seed=_whole_number(values.get("seed"), "seed", location),
        split=values.get("split") or None,
        strategy=values.get("strategy") or "single",
        n=_whole_number(values.get("n"), "n", location),
        protocol=values.get("protocol") or "fine-tuned",
        averaged_over=averaged_over,  # type: ignore[arg-type]
        suite=values.get("suite") or None,
        notes=(values["note"],) if values.get("note") else (),
    )


def _number(text: str, name: str, location: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{name}: '{text}' is not a number", where=location) from None


def _whole_number(text: str | None, name: str, location: str) -> int | None:
    if not text:
        return None
    number = _number(text, name, location)
    if not number.is_integer():
        raise ConfigurationError(f"{name}: '{text}' is not a whole number", where=location)
    return int(number)
