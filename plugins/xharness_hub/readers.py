"""Rows out of plain files: JSON, JSON lines, CSV, TSV, CoNLL and lines of text, gzipped or not.

Two published formats are neither: SQuAD's nested JSON and BUCC's archives.
"""

from __future__ import annotations

import csv
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import Field, model_validator

from xharness import Row, Strict, UnavailableError, parse_json, suggestion
from xharness_hub import bucc, conll, squad
from xharness_hub.unpacking import GzipText

ReaderName = Literal[
    "jsonl", "json", "csv", "tsv", "conll", "lines", "squad", "squad_sentences", "bucc",
    "bucc_english",
]  # fmt: skip
Parse = Callable[[Path, "ReaderOptions"], Iterator[Row]]


class ReaderOptions(Strict):
    """How a file is read; what both `url` and `file` let a card say."""

    reader: ReaderName = Field(description="the format of the files")
    field: str | None = Field(
        default=None, description="json: where the list of rows stands, such as 'data'"
    )
    columns: tuple[str, ...] | dict[str, str | int] | None = Field(
        default=None,
        description="csv, tsv, lines: the columns' names; conll: each column of a row, and which "
        "column of the file it is, by CoNLL-U name or by place from 0",
    )
    delimiter: str | None = Field(default=None, description="csv, tsv, conll: between cells")
    header: bool = Field(default=True, description="csv, tsv: whether line 1 names the columns")

    @model_validator(mode="after")
    def _options_fit_the_reader(self) -> ReaderOptions:
        if self.field is not None and self.reader != "json":
            raise ValueError(f"'field' is for the reader json, not {self.reader}")
        if isinstance(self.columns, dict) != (self.reader == "conll") and self.columns is not None:
            shape = "a mapping" if self.reader == "conll" else "a list of names"
            raise ValueError(f"'columns' of the reader {self.reader} must be {shape}")
        if isinstance(self.columns, dict):
            conll.check(self.columns)
        if self.reader in ("csv", "tsv") and not self.header and not self.columns:
            raise ValueError("without a header, 'columns' must name the columns")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise ValueError("'delimiter' must be one character")
        return self

    def meaning(self) -> dict[str, Any]:
        """What decides how bytes become rows: part of every fingerprint."""
        return self.model_dump(mode="json", include=set(ReaderOptions.model_fields))


def read(paths: Sequence[Path], options: ReaderOptions, location: str) -> Iterator[Row]:
    """The rows of all files, one after the other; `location` names them in errors.

    Raises:
        UnavailableError: file and line of what cannot be read, or there is no row at all.
    """
    parse = _PARSERS[options.reader]
    empty = True
    for path in paths:
        try:
            for row in parse(path, options):
                empty = False
                yield row
        except UnicodeDecodeError as error:
            raise UnavailableError(f"not UTF-8 text ({error.reason})", where=str(path)) from None
        except (OSError, EOFError, zlib.error) as error:
            raise UnavailableError(f"cannot be read: {error}", where=str(path)) from None
    if empty:
        raise UnavailableError("there is no row in it", where=location, expected="at least one")


def _text(parse: Callable[[TextIO, Path, ReaderOptions], Iterator[Row]]) -> Parse:
    """`parse`, given the file as text."""

    def opened(path: Path, options: ReaderOptions) -> Iterator[Row]:
        with _open(path) as file:
            yield from parse(file, path, options)

    return opened


def _open(path: Path) -> TextIO:
    # The mark that some editors put first would else become a part of the first column's name.
    if path.suffix == ".gz":
        return io.TextIOWrapper(GzipText(path), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _broken(path: Path, line: int, problem: str, expected: str | None = None) -> UnavailableError:
    return UnavailableError(problem, where=f"{path}:{line}", expected=expected)


def _jsonl(file: TextIO, path: Path, options: ReaderOptions) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except json.JSONDecodeError as error:
            raise _broken(path, number, f"not JSON: {error.msg} (column {error.colno})") from None
        except ValueError as error:
            raise _broken(path, number, f"not JSON: {error}") from None
        if not isinstance(row, dict):
            raise _broken(path, number, f"{type(row).__name__} in place of a row", "an object")
        yield row


def _json(file: TextIO, path: Path, options: ReaderOptions) -> Iterator[Row]:
    # A whole JSON file is one value; JSON lines are for what does not fit into memory.
    value = _value(file, path)
    for step in options.field.split(".") if options.field else ():
        if not isinstance(value, dict) or step not in value:
            fields = value if isinstance(value, dict) else ()
            raise UnavailableError(
                f"there is no field '{options.field}'",
                where=str(path),
                hint=suggestion(step, fields),
            )
        value = value[step]
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise UnavailableError(
            f"'{options.field or 'the file'}' does not hold rows",
            where=str(path),
            expected="a list of objects",
        )
    yield from value


def _value(file: TextIO, path: Path) -> Any:
    try:
        return parse_json(file.read())
    except json.JSONDecodeError as error:
        raise _broken(path, error.lineno, f"not JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise UnavailableError(f"not JSON: {error}", where=str(path)) from None


def _squad(file: TextIO, path: Path, options: ReaderOptions) -> Iterator[Row]:
    rows = squad.questions if options.reader == "squad" else squad.sentences
    return rows(_value(file, path), path)


def _bucc(path: Path, options: ReaderOptions) -> Iterator[Row]:
    return bucc.rows_of_archive(path, "bucc" if options.reader == "bucc" else "bucc_english")


def _table(file: TextIO, path: Path, options: ReaderOptions) -> Iterator[Row]:
    # Quotes are ordinary characters in TSV; in CSV they enclose cells.
    tabs = options.reader == "tsv"
    # Contexts of questions are longer than the 128 KiB that the module allows by default.
    csv.field_size_limit(2**31 - 1)
    cells = csv.reader(
        file,
        delimiter=options.delimiter or ("\t" if tabs else ","),
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        strict=True,
    )
    try:
        names = next(cells, []) if options.header else []
        names = list(options.columns or names)
        if len(set(names)) != len(names):
            raise _broken(path, 1, "two columns have the same name")
        for row in cells:
            # A blank line at the end is no row; one that is short would shift its cells.
            if row and len(row) != len(names):
                raise _broken(path, cells.line_num, f"{len(row)} cells", f"{len(names)}")
            if row:
                yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise _broken(path, cells.line_num, f"not {options.reader.upper()}: {error}") from None


def _lines(file: TextIO, path: Path, options: ReaderOptions) -> Iterator[Row]:
    name = next(iter(options.columns or ()), "text")
    for line in file:
        yield {name: line.rstrip("\r\n")}


def _conll(file: TextIO, path: Path, options: ReaderOptions) -> Iterator[Row]:
    columns = options.columns if isinstance(options.columns, dict) else conll.DEFAULT
    return conll.sentences(file, path, columns, options.delimiter)


_PARSERS: dict[ReaderName, Parse] = {
    "jsonl": _text(_jsonl),
    "json": _text(_json),
    "csv": _text(_table),
    "tsv": _text(_table),
    "conll": _text(_conll),
    "lines": _text(_lines),
    "squad": _text(_squad),
    "squad_sentences": _text(_squad),
    "bucc": _bucc,
    "bucc_english": _bucc,
}
