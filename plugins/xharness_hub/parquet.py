"""Rows of Parquet files, a few at a time, and no more of them than such files honestly hold.

A value that many rows share is stored once, so that a small file can stand for any amount of text:
what counts against the limit of packed files is what the rows hold, not what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xharness import Row
from xharness_hub.unpacking import most_unpacked, too_large

_BATCH = 64  # rows turned into Python objects together: all of them may be as long as the longest


def count(paths: Sequence[Path]) -> int:
    """How many rows the files say they have.

    Raises:
        OSError: a file becomes more than it may, or cannot be read.
        Exception: it is damaged, in pyarrow's own ways.
    """
    from pyarrow.parquet import read_metadata

    rows = 0
    for path in paths:
        with path.open("rb") as file:
            metadata = read_metadata(file)
        groups = (metadata.row_group(index) for index in range(metadata.num_row_groups))
        size = sum(group.total_byte_size for group in groups)
        if max(size, metadata.num_rows) > most_unpacked(path):
            raise too_large(path)
        rows += metadata.num_rows
    return rows


def label_names(path: Path) -> dict[str, tuple[str, ...]]:
    """Column to the names of its classes, as the library `datasets` notes them in a file.

    Raises:
        OSError: the file cannot be read.
        Exception: as `count`.
    """
    from pyarrow.parquet import read_schema

    note = (read_schema(path).metadata or {}).get(b"huggingface", b"{}")
    try:
        features = json.loads(note)["info"]["features"]
        named = {column: _class_names(feature) for column, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {column: names for column, names in named.items() if names}


def _class_names(feature: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a column of classes, or of lists of classes."""
    inner = feature["feature"] if feature.get("_type") in ("List", "Sequence") else feature
    return tuple(map(str, inner["names"])) if inner.get("_type") == "ClassLabel" else ()


def read(paths: Sequence[Path]) -> Iterator[Row]:
    """All rows, in order, with errors as `count`."""
    from pyarrow.parquet import ParquetFile

    for path in paths:
        room = most_unpacked(path)
        with path.open("rb") as stream, ParquetFile(stream) as file:
            for batch in file.iter_batches(_BATCH):
                room -= batch.nbytes
                if room < 0:
                    raise too_large(path)
                yield from batch.to_pylist()
