"""The board to compute with: every score as CSV, every gap as JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from xharness.leaderboard.board import Board
from xharness.scores import Missing, Score


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
    return json.dumps(page, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_csv(board: Board) -> str:
    """One line per row, in the order of `scores.jsonl`; a missing number has a reason instead."""
    columns = dict.fromkeys([*Score.model_fields, *Missing.model_fields])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    for row in board.rows:
        values = row.model_dump(mode="json")
        if isinstance(row, Score):
            values["notes"] = "; ".join(row.notes)
        writer.writerow(values)
    return text.getvalue()
