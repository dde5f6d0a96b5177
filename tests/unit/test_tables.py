"""Tables that are written in pieces have the bytes of whole ones, and are read in pieces."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xharness.store import tables


def _table(first: int, count: int) -> pa.Table:
    rows = range(first, first + count)
    items = pa.array([f"item-{row}" for row in rows], pa.string())
    return pa.table({"item": items, "prediction": pa.array([row % 3 for row in rows], pa.int32())})


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any), st.integers(1, 50))
def test_row_groups_are_cut_as_of_one_table(counts: list[int], most: int) -> None:
    pieces = [_table(100 * index, count) for index, count in enumerate(counts)]
    groups = [*tables._row_groups(pieces, most)]
    assert pa.concat_tables(groups) == pa.concat_tables(pieces)
    assert all(group.num_rows == most for group in groups[:-1])
    assert 0 < groups[-1].num_rows <= most


@pytest.mark.parametrize("most", [1 << 20, 700])
def test_pieces_have_the_bytes_of_one_table(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    pieces = [_table(first, 300) for first in range(0, 3000, 300)]
    with (tmp_path / "one").open("wb") as stream:
        pq.write_table(pa.concat_tables(pieces), stream, compression="zstd", row_group_size=most)
    monkeypatch.setattr(tables, "_MOST_ROWS", most)
    tables.save_tables(tmp_path / "pieces", pieces)
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "one").read_bytes()


def test_rows_are_read_in_order(tmp_path: Path) -> None:
    tables.write_table(tmp_path / "x", _table(0, 10_000))
    rows = [*tables.read_rows(tmp_path / "x", ["prediction", "item"])]
    assert rows == [(row % 3, f"item-{row}") for row in range(10_000)]
