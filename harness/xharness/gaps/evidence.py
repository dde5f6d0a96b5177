"""Evidence: the per-item statistics behind the main scores, from which intervals are computed.

`evidence.parquet` has one row per item: `stage` (key of the score stage), `language`, `item`, and
the statistics of the task's main metric as columns `s0`, `s1`, … (null past the metric's own).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xharness.errors import ConfigurationError
from xharness.files import whole
from xharness.task_types.base import Floats

FILE = "evidence.parquet"
_FIRST = "s0"
_BLOCKS = 1000  # stages and languages in a row group
_ROWS = 1 << 18  # read at a time


@dataclass(frozen=True, slots=True)
class Items:
    """The statistics of one stage in one language, ordered by item id."""

    stage: str
    language: str
    ids: tuple[str, ...]
    """Equal for the same items: what pairs arms and parallel languages."""
    stored: NDArray[Any]
    """Shape (items, statistics), in bytes where they are small whole numbers."""

    @property
    def statistics(self) -> Floats:
        """Shape (items, statistics)."""
        return self.stored.astype(np.float64)

    @classmethod
    def of(cls, stage: str, language: str, ids: Sequence[str], statistics: Floats) -> Items:
        """Items in any order, brought into the order that pairs arms and parallel languages.

        Raises:
            ConfigurationError: an id stands twice, so that items can't be paired.
        """
        order, ordered = _ordered(ids, f"stage {stage[:12]}, {language}")
        values = np.asarray(statistics, dtype=np.float64)[order]
        return cls(stage, language, ordered, _smallest(values))


Evidence = Mapping[tuple[str, str], Items]
"""(stage key, language) to its items."""


def write(path: Path, evidence: Iterable[Items]) -> None:
    """Write items atomically; the same items give the same bytes, whatever their order."""
    import pyarrow.parquet as pq

    shared: dict[tuple[str, ...], tuple[str, ...]] = {}
    blocks: dict[tuple[str, str], Items] = {}
    for items in evidence:  # thousands of arms answer the same items: one tuple of ids for all
        ids = shared.setdefault(items.ids, items.ids)
        blocks[items.stage, items.language] = replace(items, ids=ids)
    ordered = [blocks[key] for key in sorted(blocks)]
    width = max((items.stored.shape[1] for items in ordered), default=0)
    with (
        whole(path) as partial,
        pq.ParquetWriter(partial, _schema(width), compression="zstd") as writer,
    ):
        for start in range(0, len(ordered), _BLOCKS):
            writer.write_table(_table(ordered[start : start + _BLOCKS], width))


def read(path: Path) -> dict[tuple[str, str], Items]:
    """Read what `write` wrote.

    Raises:
        ConfigurationError: the file is not such a table, or an item stands twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    pieces: dict[tuple[str, str], list[_Piece]] = defaultdict(list)
    shared: dict[tuple[str, ...], _Ids] = {}
    try:
        with pq.ParquetFile(path, read_dictionary=["stage", "language", "item"]) as file:
            for batch in file.iter_batches(_ROWS):
                for key, piece in _pieces(batch, shared):
                    pieces[key].append(piece)
    except (OSError, KeyError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"not an evidence table: {reason}", where=str(path)) from None
    pa.default_memory_pool().release_unused()  # it would keep what reading took
    return {key: _joined(key, blocks) for key, blocks in pieces.items()}


class _Ids(NamedTuple):
    """Ids of items, one object for all arms that answered them."""

    names: tuple[str, ...]
    ordered: bool


class _Piece(NamedTuple):
    """Some items of one stage and language."""

    ids: _Ids
    stored: NDArray[Any]


def _pieces(
    batch: Any, shared: dict[tuple[str, ...], _Ids]
) -> Iterator[tuple[tuple[str, str], _Piece]]:
    """Each run of one stage and language."""
    (stages, stage), (languages, language), (names, item) = (
        _codes(batch.column(name)) for name in ("stage", "language", "item")
    )
    if not len(stage):
        return
    values = np.stack(
        [batch.column(name).to_numpy(zero_copy_only=False) for name in _names(batch)], axis=1
    ).astype(np.float64, copy=False)
    changes = (np.diff(stage) != 0) | (np.diff(language) != 0)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    with np.errstate(invalid="ignore"):
        small = values.astype(np.uint8)
    exact = (small == values) | np.isnan(values)
    fits: list[bool] = np.asarray(np.logical_and.reduceat(exact, starts).all(axis=1)).tolist()
    widths = np.isfinite(values[starts]).sum(axis=1)
    ids_by_codes: dict[bytes, _Ids] = {}
    for index, (start, end) in enumerate(pairwise([*starts.tolist(), len(stage)])):
        codes = item[start:end]
        key = codes.tobytes()
        if key not in ids_by_codes:
            ids_by_codes[key] = _ids(tuple([names[code] for code in codes.tolist()]), shared)
        stored = (small if fits[index] else values)[start:end, : widths[index]]
        # a copy, lest a few items keep the whole batch
        piece = _Piece(ids_by_codes[key], stored.copy())
        yield (stages[stage[start]], languages[language[start]]), piece


def _ids(names: tuple[str, ...], shared: dict[tuple[str, ...], _Ids]) -> _Ids:
    if names not in shared:
        ordered = all(name < following for name, following in pairwise(names))
        shared[names] = _Ids(names, ordered)
    return shared[names]


def _joined(key: tuple[str, str], pieces: Sequence[_Piece]) -> Items:
    """The pieces of one stage and language, in the order of ids."""
    first = pieces[0]
    if len(pieces) == 1 and first.ids.ordered:
        return Items(*key, first.ids.names, first.stored)
    names = tuple(name for piece in pieces for name in piece.ids.names)
    return Items.of(*key, names, np.concatenate([piece.stored for piece in pieces]))


def _ordered(ids: Sequence[str], position: str) -> tuple[list[int], tuple[str, ...]]:
    order = sorted(range(len(ids)), key=ids.__getitem__)
    ordered = tuple(ids[index] for index in order)
    double = next((name for name, following in pairwise(ordered) if name == following), None)
    if double is not None:
        raise ConfigurationError(f"item '{double}' stands twice", where=position)
    return order, ordered


def _smallest(values: Floats) -> NDArray[Any]:
    """The same numbers in a byte each where they are whole and small."""
    with np.errstate(invalid="ignore"):
        small = values.astype(np.uint8)
    return small if np.array_equal(small, values) else values


def _schema(width: int) -> Any:
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    fields = {"stage": name, "language": name, "item": pa.string()}
    return pa.schema(fields | {f"s{index}": pa.float64() for index in range(width)})


def _table(blocks: Sequence[Items], width: int) -> Any:
    import pyarrow as pa

    sizes = [len(items.ids) for items in blocks]
    values = np.full((sum(sizes), width), np.nan)
    for items, end in zip(blocks, np.cumsum(sizes), strict=True):
        values[end - len(items.ids) : end, : items.stored.shape[1]] = items.stored
    columns = [
        _dictionary([items.stage for items in blocks], sizes),
        _dictionary([items.language for items in blocks], sizes),
        pa.array([name for items in blocks for name in items.ids], pa.string()),
        *(pa.array(values[:, index], from_pandas=True) for index in range(width)),
    ]
    return pa.table(columns, schema=_schema(width))


def _dictionary(names: Sequence[str], sizes: Sequence[int]) -> Any:
    """Each name as often as its size says, stored as numbers into the list of names."""
    import pyarrow as pa

    unique = sorted(set(names))
    code = {name: index for index, name in enumerate(unique)}
    codes = np.repeat([code[name] for name in names], sizes).astype(np.int32)
    return pa.DictionaryArray.from_arrays(codes, pa.array(unique, pa.string()))


def _codes(column: Any) -> tuple[list[str], NDArray[Any]]:
    return column.dictionary.to_pylist(), column.indices.to_numpy()


def _names(batch: Any) -> list[str]:
    """The statistics' columns."""
    names = batch.schema.names
    return [name for name in names if name[:1] == _FIRST[0] and name[1:].isdigit()]
