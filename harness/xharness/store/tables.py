"""Parquet files, written atomically and read without pandas.

They are opened here: pyarrow refuses the paths of folders whose names are not UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.files import atomic_file

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS = 1 << 20  # of a row group, as `pyarrow.parquet.write_table` cuts a table
_ROWS = 4096  # that are Python's objects at a time


def write_table(path: Path, table: pa.Table) -> None:
    """Write `table` so that `path` has all of it or is as it was."""
    with atomic_file(path) as partial:
        save_table(partial, table)


def save_table(path: Path, table: pa.Table) -> None:
    """Write `table` into a file that something else makes whole."""
    import pyarrow.parquet as pq

    with path.open("wb") as stream:
        pq.write_table(table, stream, compression="zstd")


def save_tables(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write the rows of `tables` with the bytes that they would give as one table.

    No more than a row group is held. There must be a row.
    """
    import pyarrow.parquet as pq

    groups = _row_groups(tables, _MOST_ROWS)
    first = next(groups)
    with (
        path.open("wb") as stream,
        pq.ParquetWriter(stream, first.schema, compression="zstd") as writer,
    ):
        for group in chain([first], groups):
            writer.write_table(group)


def _row_groups(tables: Iterable[pa.Table], most_rows: int) -> Iterator[pa.Table]:
    import pyarrow as pa

    pieces, count = [], 0
    for table in tables:
        first = 0
        while first < table.num_rows:
            pieces.append(table.slice(first, most_rows - count))
            first, count = first + pieces[-1].num_rows, count + pieces[-1].num_rows
            if count == most_rows:
                yield pa.concat_tables(pieces)
                pieces, count = [], 0
    if pieces:
        yield pa.concat_tables(pieces)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The table at `path`; `pyarrow.parquet.read_table` would import pandas on the way."""
    import pyarrow.parquet as pq

    with path.open("rb") as stream, pq.ParquetFile(stream) as file:
        return file.read(columns)


def read_rows(path: Path, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    """The values of some columns of the table at `path`, row by row; few are held at a time."""
    import pyarrow.parquet as pq

    with path.open("rb") as stream, pq.ParquetFile(stream) as file:
        for batch in file.iter_batches(_ROWS, columns=columns):
            values = [batch.column(name).to_pylist() for name in columns]
            yield from zip(*values, strict=True)
