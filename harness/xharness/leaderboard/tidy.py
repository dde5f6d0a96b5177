"""Rows as a table: one line a row of `scores.jsonl`, for data frames and files of tidy data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from xharness.leaderboard.board import Board
from xharness.scores import Mean, Missing, Score

if TYPE_CHECKING:
    import pyarrow as pa


def records(board: Board) -> list[dict[str, Any]]:
    """Every row with all its columns; a missing number has a `reason`, a stated average a `mean`.

    Columns of other kinds of row are None.
    """
    kinds: list[type[Score | Missing | Mean]] = [Score, Missing, *([Mean] if board.means else [])]
    names = dict.fromkeys(name for kind in kinds for name in kind.model_fields)
    empty = dict.fromkeys(names)
    return [empty | row.model_dump(mode="json") for row in (*board.rows, *board.means)]


def to_table(board: Board) -> pa.Table:
    """The records as an Arrow table; `notes` are lists of text."""
    import pyarrow as pa

    found = records(board)
    names = list(found[0]) if found else [*Score.model_fields]
    columns = {name: [_plain(one[name]) for one in found] for name in names}
    types = {"notes": pa.list_(pa.string()), "reason": pa.string(), "stage": pa.string()}
    return pa.table({name: pa.array(values, types.get(name)) for name, values in columns.items()})


def to_parquet(board: Board) -> bytes:
    """The table as a Parquet file."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(to_table(board), sink)
    return sink.getvalue()


def _plain(value: Any) -> Any:
    """Sequences of sequences have no place in a tidy table."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return [" ".join(inner) for inner in value]
    return value
