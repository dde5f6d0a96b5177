"""The board to compute with: every score as tidy CSV, JSON or Parquet, every gap as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xharness.leaderboard.board import Board
from xharness.leaderboard.exports.board_json import to_json
from xharness.leaderboard.exports.tidy import to_csv, to_parquet, to_rows

__all__ = ["FORMATS", "to_csv", "to_json", "to_parquet", "to_rows"]

FORMATS: Mapping[str, Callable[[Board], bytes]] = {
    "csv": lambda board: to_csv(board).encode(),
    "json": lambda board: to_rows(board).encode(),
    "parquet": to_parquet,
}
"""What a board's rows can be exported as, into one file."""
