"""Parquet files, written atomically and read without pandas.

They are opened here: pyarrow refuses the paths of folders whose names are not UTF-8.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xharness.files import atomic_file

if TYPE_CHECKING:
    import pyarrow as pa


def write_table(path: Path, table: pa.Table) -> None:
    """Write `table` so that `path` has all of it or is as it was."""
    with atomic_file(path) as partial:
        save_table(partial, table)


def save_table(path: Path, table: pa.Table) -> None:
    """Write `table` into a file that something else makes whole."""
    import pyarrow.parquet as pq

    with path.open("wb") as stream:
        pq.write_table(table, stream, compression="zstd")


def read_table(path: Path) -> pa.Table:
    """The table at `path`; `pyarrow.parquet.read_table` would import pandas on the way."""
    import pyarrow.parquet as pq

    with path.open("rb") as stream, pq.ParquetFile(stream) as file:
        return file.read()
