"""The figures of a board, each only where it says something.

figures(board)          what there is to draw, cheaply
svg(figure)             the drawing: the same bytes for the same board and matplotlib release
differs(found, figure)  how a committed drawing differs, and whether this machine can tell
"""

from __future__ import annotations

from xharness.leaderboard.board import Board
from xharness.leaderboard.figures import changes, languages, sizes, tasks
from xharness.leaderboard.figures.figure import Figure
from xharness.leaderboard.figures.svg import differs, svg

__all__ = ["Figure", "differs", "figures", "svg"]


def figures(board: Board) -> list[Figure]:
    """Gap against size, changes, source and others per task, languages: those with two to see."""
    made = (one.figure(board) for one in (sizes, changes, tasks, languages))
    return [one for one in made if one is not None]
