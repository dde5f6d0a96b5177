"""The board to compute with: every score as tidy CSV, JSON or Parquet, every gap as JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from xharness.leaderboard.board import Board
from xharness.leaderboard.claims import claims
from xharness.leaderboard.tidy import records, to_parquet


def to_json(board: Board) -> str:
    """The study, sizes of the models, and the gaps as `xharness.gaps.Gaps` holds them."""
    sizes = {
        model: {"parameters": total, "non_embedding_parameters": body}
        for model, (total, body) in board.sizes.items()
    }
    page: dict[str, Any] = {
        "study": board.study.name,
        "title": board.study.title,
        "models": sizes,
        "gaps": asdict(board.gaps),
    }
    if board.means:
        page["stated_averages"] = [
            {**one.mean.model_dump(mode="json"), "derived": one.derived,
             "reading": one.reading, "contradicted": one.contradicted}
            for one in claims(board.means, board.scores)
        ]  # fmt: skip
    return json.dumps(page, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_csv(board: Board) -> str:
    """One line per row, in the order of `scores.jsonl`; a missing number has a reason instead."""
    found = records(board)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]) if found else [], lineterminator="\n")
    writer.writeheader()
    for values in found:
        notes = values["notes"]
        writer.writerow({**values, "notes": "; ".join(notes) if notes else ""})
    return text.getvalue()


def to_rows(board: Board) -> str:
    """The same rows as a JSON list."""
    return json.dumps(records(board), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


FORMATS: Mapping[str, Callable[[Board], bytes]] = {
    "csv": lambda board: to_csv(board).encode(),
    "json": lambda board: to_rows(board).encode(),
    "parquet": to_parquet,
}
"""What a board's rows can be exported as, into one file."""
