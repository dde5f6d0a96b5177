"""Rows as a table: one line a row of `scores.jsonl`, for data frames and files of tidy data."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from xharness.gaps.scores import Mean, Missing, Score
from xharness.leaderboard.board import Board

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


def to_csv(board: Board) -> str:
    """One line per row, in the order of `scores.jsonl`; a missing number has a reason instead."""
    rows = records(board)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    for values in rows:
        notes = values["notes"]
        writer.writerow({**values, "notes": "; ".join(notes) if notes else ""})
    return text.getvalue()


def to_rows(board: Board) -> str:
    """The same rows as a JSON list."""
    return json.dumps(records(board), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_table(board: Board) -> pa.Table:
    """The records as an Arrow table; `notes` are lists of text."""
    import pyarrow as pa

    rows = records(board)
    names = list(rows[0]) if rows else [*Score.model_fields]
    columns = {name: [_plain(row[name]) for row in rows] for name in names}
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
