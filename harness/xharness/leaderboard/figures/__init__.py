"""The figures of a board, each only where it says something.

figures(board)          what there is to draw, cheaply
svg(figure)             the drawing: the same bytes for the same board and matplotlib release
differs(drawing, figure)  how a committed drawing differs, and whether this machine can tell
"""

from __future__ import annotations

from xharness.leaderboard.board import Board
from xharness.leaderboard.figures import changes, languages, sizes, tasks
from xharness.leaderboard.figures.figure import Figure
from xharness.leaderboard.figures.svg import differs, svg

__all__ = ["Figure", "differs", "figures", "svg"]


def figures(board: Board) -> list[Figure]:
    """Changes, source and others per task, gap against size, languages: those with two to see."""
    return board.once("figures", _figures)


def _figures(board: Board) -> list[Figure]:
    drawings = (module.figure(board) for module in (changes, tasks, sizes, languages))
    return [figure for figure in drawings if figure is not None]
