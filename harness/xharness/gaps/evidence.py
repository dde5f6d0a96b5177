"""Evidence: the per-item statistics behind the main scores, from which intervals are computed.

`evidence.parquet` has one row per item: `stage` (key of the score stage), `language`, `item`, and
the statistics of the task's main metric as columns `s0`, `s1`, … (null past the metric's own).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xharness.errors import ConfigurationError
from xharness.files import atomic_file
from xharness.task_types.base import Floats

FILE = "evidence.parquet"
_STATISTIC = "s"  # and a number: the columns of the statistics
_BLOCKS = 1000  # at least so many pairs of a stage and a language are in a row group
_ROWS = 1 << 20  # read at a time, so that a large file is never whole in memory


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


def with_shared_ids(evidence: Iterable[Items]) -> Iterator[Items]:
    """The same items; those of equal ids have one tuple of them, as thousands of arms may."""
    shared_ids: dict[tuple[str, ...], tuple[str, ...]] = {}
    for items in evidence:
        yield replace(items, ids=shared_ids.setdefault(items.ids, items.ids))


def write(path: Path, evidence: Iterable[Items]) -> None:
    """Write items atomically; the same items give the same bytes, whatever their order."""
    import pyarrow.parquet as pq

    # a stage that several arms share is stored once
    blocks = {(items.stage, items.language): items for items in with_shared_ids(evidence)}
    # Committed boards are compared byte for byte, so the order of arrival must not show.
    ordered = [blocks[key] for key in sorted(blocks)]
    width = max((items.stored.shape[1] for items in ordered), default=0)
    with (
        atomic_file(path) as partial,
        partial.open("wb") as stream,
        pq.ParquetWriter(stream, _schema(width), compression="zstd") as writer,
    ):
        for group in _groups(ordered):
            writer.write_table(_table(group, width))


def read(path: Path) -> Evidence:
    """Read what `write` wrote.

    Raises:
        ConfigurationError: the file is not such a table, or an item stands twice.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    evidence = _StoredEvidence()
    try:
        columns = ["stage", "language", "item"]
        with path.open("rb") as stream, pq.ParquetFile(stream, read_dictionary=columns) as file:
            for group in range(file.num_row_groups):
                for batch in file.iter_batches(_ROWS, row_groups=[group]):
                    evidence.add(batch)
    # Another table, or a damaged one, shows in whatever is looked for first.
    except (
        OSError,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        pa.ArrowException,
    ) as error:
        reason = (str(error).splitlines() or [repr(error)])[0]
        raise ConfigurationError(f"not an evidence table: {reason}", where=str(path)) from None
    pa.default_memory_pool().release_unused()  # it would keep what reading took
    return evidence


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which rows of a stage are of which language, and their items; shared between stages."""

    spans: Mapping[str, tuple[int, int]]
    """Language to its first row in the stage, and the one after its last."""
    ids: Mapping[str, tuple[str, ...]]
    """Language to the item of each of its rows."""
    ordered: bool
    """Whether the items of every language stand in the order of their ids, none twice."""


@dataclass(frozen=True, slots=True)
class _StageItems:
    """All items of one stage; answers that are right or wrong in a bit each."""

    layout: _Layout
    stored: NDArray[Any]
    """Shape (rows, statistics); packed, a bit for each row, eight of them a byte."""
    is_packed: bool

    def items(self, stage: str, language: str) -> Items:
        start, end = self.layout.spans[language]
        if self.is_packed:
            # Eight items a byte, and a language may begin within one.
            right = np.unpackbits(self.stored[start // 8 : end // 8 + 1])
            offset = start % 8
            columns = np.empty((end - start, 2), dtype=np.uint8)
            columns[:, 0], columns[:, 1] = right[offset : offset + end - start], 1
            return Items(stage, language, self.layout.ids[language], columns)
        return Items(stage, language, self.layout.ids[language], self.stored[start:end])


_SharedIds = dict[tuple[str, ...], tuple[tuple[str, ...], bool]]
"""Ids to the one object that holds them, and whether they are in order."""


class _StoredEvidence(Mapping[tuple[str, str], Items]):
    """Evidence as it was stored: items are made when they are asked for, to save memory."""

    def __init__(self) -> None:
        self._stages: dict[str, _StageItems] = {}
        self._loose: dict[tuple[str, str], Items] = {}
        self._ids: _SharedIds = {}

    def __getitem__(self, key: tuple[str, str]) -> Items:
        if key in self._loose:
            return self._loose[key]
        return self._stages[key[0]].items(*key)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield from self._loose
        for stage, block in self._stages.items():
            for language in block.layout.spans:
                if (stage, language) not in self._loose:
                    yield stage, language

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, batch: Any) -> None:
        """Add the rows of a batch; a stage may begin in one batch and end in another."""
        stage_names, stage_numbers = _names_and_numbers(batch.column("stage"))
        if not len(stage_numbers):
            return
        columns = [
            batch.column(name).to_numpy(zero_copy_only=False) for name in _statistic_columns(batch)
        ]
        starts = [0, *(np.flatnonzero(np.diff(stage_numbers)) + 1).tolist(), len(stage_numbers)]
        layouts = _Layouts(batch, self._ids)
        for start, end in pairwise(starts):
            layout = layouts.of(start, end)
            # A metric with fewer statistics than the file's widest has no value in the last.
            values = [column[start:end] for column in columns if not np.isnan(column[start])]
            self._keep(stage_names[stage_numbers[start]], _stored(layout, values))

    def _keep(self, stage: str, block: _StageItems) -> None:
        if stage not in self._stages and block.layout.ordered:
            self._stages[stage] = block
            return
        # Two parts of one stage, or one that another tool wrote out of order: made one.
        for language in block.layout.spans:
            key = stage, language
            parts = [block.items(*key), *([self[key]] if key in self else [])]
            names = tuple(name for part in parts for name in part.ids)
            statistics = np.concatenate([part.statistics for part in parts])
            self._loose[key] = Items.of(*key, names, statistics)


def _stored(layout: _Layout, columns: Sequence[Floats]) -> _StageItems:
    """One stage's statistics, column by column, in the least memory that holds them."""
    if len(columns) == 2 and (columns[1] == 1).all():
        right = columns[0] == 1
        if (right | (columns[0] == 0)).all():
            return _StageItems(layout, np.packbits(right), is_packed=True)
    return _StageItems(layout, _smallest(np.stack(columns, axis=1)), is_packed=False)


class _Layouts:
    """The layouts of a batch's stages, made once for all stages that are alike."""

    def __init__(self, batch: Any, ids: _SharedIds) -> None:
        languages, items = batch.column("language"), batch.column("item")
        self._language_codes, self._language_numbers = _names_and_numbers(languages)
        self._item_ids, self._item_numbers = _names_and_numbers(items)
        self._ids = ids
        self._layouts: dict[bytes, _Layout] = {}

    def of(self, start: int, end: int) -> _Layout:
        """The layout of the rows from `start` to `end`."""
        language_numbers = self._language_numbers[start:end]
        item_numbers = self._item_numbers[start:end]
        key = language_numbers.tobytes() + item_numbers.tobytes()
        if key not in self._layouts:
            self._layouts[key] = self._make_layout(language_numbers, item_numbers.tolist())
        return self._layouts[key]

    def _make_layout(self, language_numbers: NDArray[Any], item_numbers: Sequence[int]) -> _Layout:
        changes = np.flatnonzero(np.diff(language_numbers)) + 1
        starts = [0, *changes.tolist(), len(item_numbers)]
        spans: dict[str, tuple[int, int]] = {}
        ids: dict[str, tuple[str, ...]] = {}
        ordered = True
        for start, end in pairwise(starts):
            code = self._language_codes[language_numbers[start]]
            if code in spans:
                raise KeyError(f"the rows of {code} do not stand together in their stage")
            names = tuple([self._item_ids[number] for number in item_numbers[start:end]])
            if names not in self._ids:  # thousands of stages answer the same items
                is_ordered = all(name < following for name, following in pairwise(names))
                self._ids[names] = names, is_ordered
            spans[code], (ids[code], is_ordered) = (start, end), self._ids[names]
            ordered = ordered and is_ordered
        return _Layout(spans, ids, ordered)


def _ordered(ids: Sequence[str], where: str) -> tuple[list[int], tuple[str, ...]]:
    # Statistics of two arms are subtracted row by row: both must stand in one order.
    order = sorted(range(len(ids)), key=ids.__getitem__)
    ordered = tuple(ids[index] for index in order)
    repeated_id = next((name for name, following in pairwise(ordered) if name == following), None)
    if repeated_id is not None:
        raise ConfigurationError(f"item '{repeated_id}' stands twice", where=where)
    return order, ordered


def _smallest(values: Floats) -> NDArray[Any]:
    """The same numbers in a byte each where they are whole and small."""
    with np.errstate(invalid="ignore"):
        # Any number is cast to some byte; only where nothing was lost does it equal what it was.
        small = values.astype(np.uint8)
    return small if np.array_equal(small, values) else values


def _schema(width: int) -> Any:
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    fields = {"stage": name, "language": name, "item": pa.string()}
    return pa.schema(fields | {f"{_STATISTIC}{index}": pa.float64() for index in range(width)})


def _groups(ordered: Sequence[Items]) -> Iterator[list[Items]]:
    """Row groups of whole stages."""
    group: list[Items] = []
    for _, stage in groupby(ordered, key=lambda items: items.stage):
        group += stage
        if len(group) >= _BLOCKS:
            yield group
            group = []
    if group:
        yield group


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
    number_of = {name: index for index, name in enumerate(unique)}
    numbers = np.repeat([number_of[name] for name in names], sizes).astype(np.int32)
    return pa.DictionaryArray.from_arrays(numbers, pa.array(unique, pa.string()))


def _names_and_numbers(column: Any) -> tuple[list[str], NDArray[Any]]:
    """A dictionary-encoded column: its names, and for each row the index of its name among them."""
    names, numbers = column.dictionary.to_pylist(), column.indices.to_numpy(zero_copy_only=False)
    # A negative number would count from the end, and name another item without a word.
    if column.null_count or (len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(names)):
        raise ValueError("a row has a name that is not there")
    return names, numbers


def _statistic_columns(batch: Any) -> list[str]:
    """`s0`, `s1`, … as far as the file has them."""
    names = batch.schema.names
    return [name for name in names if name[:1] == _STATISTIC and name[1:].isdigit()]
