"""Rows as a table: one line a row of `scores.jsonl`, for data frames and files of tidy data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from xharness.gaps.scores import MissingRow, Row, ScoreRow, StatedAverage, columns, record
from xharness.leaderboard.board import Board

if TYPE_CHECKING:
    import pyarrow as pa

_ROW_TYPES: tuple[type[Row], ...] = (ScoreRow, MissingRow, StatedAverage)


def records(board: Board) -> list[dict[str, Any]]:
    """Every row with all its columns; a missing number has a `reason`, a stated average a `mean`.

    Columns of other row types are None.
    """
    empty = dict.fromkeys(_names(board))
    return [empty | record(row) for row in (*board.rows, *board.stated_averages)]


def _names(board: Board) -> list[str]:
    """The columns of all row types that the board has."""
    row_types: list[type[ScoreRow | MissingRow | StatedAverage]] = [ScoreRow, MissingRow]
    row_types += [StatedAverage] if board.stated_averages else []
    return list(dict.fromkeys(name for row_type in row_types for name in columns(row_type)))


def to_csv(board: Board) -> str:
    """One line per row, in the order of `scores.jsonl`; a missing number has a reason instead."""
    names = _names(board)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    # Read off the rows themselves: a large board has half a million of them.
    readers = {row_type: _reader(row_type, names) for row_type in _ROW_TYPES}
    writer.writerows(readers[type(row)](row) for row in (*board.rows, *board.stated_averages))
    return text.getvalue()


def _reader(row_type: type[Row], names: Sequence[str]) -> Callable[[Row], list[Any]]:
    """What reads a row's fields into the columns; sequences become one text."""
    fields_there = {*columns(row_type)}
    positions = [(index, name) for index, name in enumerate(names) if name in fields_there]

    def read(row: Row) -> list[Any]:
        values: list[Any] = [None] * len(names)
        for index, name in positions:
            value = getattr(row, name)
            text = "; ".join(map(_joined, value)) if type(value) is tuple else value
            values[index] = _no_formula(text) if type(text) is str else text
        return values

    return read


def _no_formula(text: str) -> str:
    """`text` so that a spreadsheet shows it: what begins like a formula would be carried out."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _joined(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)


def to_rows(board: Board) -> str:
    """The same rows as a JSON list."""
    return json.dumps(records(board), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_table(board: Board) -> pa.Table:
    """The records as an Arrow table; `notes` are lists of text."""
    import pyarrow as pa

    rows = records(board)
    names = list(rows[0]) if rows else columns(ScoreRow)
    column_values = {name: [_flat_value(row[name]) for row in rows] for name in names}
    # A column of nothing but None would be of type null, which goes with no other board's column.
    types = {"notes": pa.list_(pa.string()), "reason": pa.string(), "stage": pa.string()}
    return pa.table(
        {name: pa.array(values, types.get(name)) for name, values in column_values.items()}
    )


def to_parquet(board: Board) -> bytes:
    """The table as a Parquet file."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(to_table(board), sink)
    return sink.getvalue()


def _flat_value(value: Any) -> Any:
    """Sequences of sequences have no place in a tidy table."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return [" ".join(inner) for inner in value]
    return value
