"""`leaderboard.json`: every gap with its interval."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from xharness.leaderboard.board import Board
from xharness.leaderboard.published_averages import claims


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
            {**claim.mean.model_dump(mode="json"), "derived": claim.derived,
             "reading": claim.reading, "contradicted": claim.contradicted}
            for claim in claims(board.means, board.scores)
        ]  # fmt: skip
    return json.dumps(page, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
