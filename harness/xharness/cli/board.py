"""The board in one table: the answer at a glance, the pages have the rest."""

from __future__ import annotations

from typing import Any

from xharness.gaps import Arm, Estimate
from xharness.leaderboard import Board
from xharness.leaderboard.text import parameters, points, with_interval


def short_board(board: Board) -> list[dict[str, Any]]:
    """One row per arm: sizes, scores, gap, and its change against the baseline."""
    return [_row(board, arm) for arm in board.arms]


def _row(board: Board, arm: Arm) -> dict[str, Any]:
    found, change = board.gaps.average(arm), board.gaps.change(arm)
    total, body = board.sizes.get(arm[0], (None, None))
    return {
        "model": arm[0],
        "parameters": parameters(total),
        "outside embedding": parameters(body),
        "strategy": arm[1],
        "tasks": str(len(found.tasks)) if found else "0",
        board.source: _number(found.source if found else None),
        "mean of others": _number(found.mean if found else None),
        "gap": "undefined" if not found or not found.gap else with_interval(found.gap),
        f"change against {board.gaps.baseline}": (
            with_interval(change.gap, change=True) if change and change.gap else "—"
        ),
    }


def _number(estimate: Estimate | None) -> str:
    return "—" if estimate is None else points(estimate.value)
