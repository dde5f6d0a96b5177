"""The leaderboard of gaps: a folder with question, scores and evidence becomes pages.

write(folder, metrics)   leaderboard.md, .json and .csv
check(folder, metrics)   how the committed pages differ from a fresh rendering
render(board)            the Markdown alone
"""

from xharness.leaderboard.board import Board, assemble, metrics_of, read
from xharness.leaderboard.files import check, pages, save, write
from xharness.leaderboard.markdown import render

__all__ = ["Board", "assemble", "check", "metrics_of", "pages", "read", "render", "save", "write"]
