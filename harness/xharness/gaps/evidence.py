"""Evidence: the per-item statistics behind the main scores, from which intervals are computed.

`evidence.parquet` has one row per item: `stage` (key of the score stage), `language`, `item`, and
the statistics of the task's main metric as columns `s0`, `s1`, … (null past the metric's own).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from xharness.digests import digest
from xharness.errors import ConfigurationError
from xharness.files import whole
from xharness.task_types.base import Floats

FILE = "evidence.parquet"
_FIRST = "s0"


@dataclass(frozen=True)
class Items:
    """The statistics of one stage in one language, ordered by item id."""

    stage: str
    language: str
    ids: tuple[str, ...]
    statistics: Floats
    """Shape (items, statistics)."""

    @classmethod
    def of(cls, stage: str, language: str, ids: Sequence[str], statistics: Floats) -> Items:
        """Items in any order, brought into the order that pairs arms and parallel languages.

        Raises:
            ConfigurationError: an id stands twice, so that items can't be paired.
        """
        order = sorted(range(len(ids)), key=ids.__getitem__)
        known = tuple(ids[place] for place in order)
        twice = next((one for one, after in pairwise(known) if one == after), None)
        if twice is not None:
            raise ConfigurationError(
                f"item '{twice}' stands twice", where=f"stage {stage[:12]}, {language}"
            )
        return cls(stage, language, known, np.asarray(statistics, dtype=np.float64)[order])

    @cached_property
    def identity(self) -> str:
        """A digest of the ids: equal for the same items."""
        return digest(list(self.ids))


Evidence = Mapping[tuple[str, str], Items]
"""(stage key, language) to its items."""


def write(path: Path, evidence: Iterable[Items]) -> None:
    """Write items atomically; the same items give the same bytes, whatever their order."""
    import pyarrow.parquet as pq

    kept = {(one.stage, one.language): one for one in evidence}
    with whole(path) as partial:
        pq.write_table(_table([kept[key] for key in sorted(kept)]), partial, compression="zstd")


def read(path: Path) -> dict[tuple[str, str], Items]:
    """Read what `write` wrote.

    Raises:
        ConfigurationError: the file is not such a table.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:  # pq.read_table would import pandas on the way
            table = file.read().combine_chunks()
        stages, languages, ids = (_codes(table[name]) for name in ("stage", "language", "item"))
    except (OSError, KeyError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"not an evidence table: {reason}", where=str(path)) from None
    columns = [table[name].to_numpy() for name in _statistics(table.column_names)]
    blocks = _blocks(stages[1], languages[1])
    found: dict[tuple[str, str], Items] = {}
    for rows in blocks:
        stage, language = stages[0][stages[1][rows[0]]], languages[0][languages[1][rows[0]]]
        own = [column[rows] for column in columns if not np.isnan(column[rows[0]])]
        named = [ids[0][code] for code in ids[1][rows]]
        found[stage, language] = Items.of(stage, language, named, np.stack(own, axis=1))
    return found


def _table(blocks: Sequence[Items]) -> Any:
    import pyarrow as pa

    sizes = [len(one.ids) for one in blocks]
    width = max((one.statistics.shape[1] for one in blocks), default=0)
    values = np.full((sum(sizes), width), np.nan)
    for one, end in zip(blocks, np.cumsum(sizes), strict=True):
        values[end - len(one.ids) : end, : one.statistics.shape[1]] = one.statistics
    columns = {
        "stage": _dictionary([one.stage for one in blocks], sizes),
        "language": _dictionary([one.language for one in blocks], sizes),
        "item": pa.array([item for one in blocks for item in one.ids], pa.string()),
    }
    for place in range(width):
        columns[f"s{place}"] = pa.array(values[:, place], from_pandas=True)
    return pa.table(columns)


def _dictionary(names: Sequence[str], sizes: Sequence[int]) -> Any:
    """Each name as often as its size says, stored as numbers into the list of names."""
    import pyarrow as pa

    known = sorted(set(names))
    codes = np.repeat([known.index(name) for name in names], sizes).astype(np.int32)
    return pa.DictionaryArray.from_arrays(codes, pa.array(known, pa.string()))


def _codes(column: Any) -> tuple[list[str], Any]:
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()


def _statistics(names: Sequence[str]) -> list[str]:
    return [name for name in names if name[:1] == _FIRST[0] and name[1:].isdigit()]


def _blocks(stages: Any, languages: Any) -> list[Any]:
    """The rows of each stage and language."""
    order = np.lexsort((languages, stages))
    same = (np.diff(stages[order]) == 0) & (np.diff(languages[order]) == 0)
    return [rows for rows in np.split(order, np.flatnonzero(~same) + 1) if len(rows)]
