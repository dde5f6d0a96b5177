"""The leaderboard of gaps: a folder with question, scores and evidence becomes pages.

write(folder, metrics)   leaderboard.md, .html, .json and .csv, and the figures
check(folder, metrics)   how the committed pages differ from a fresh rendering
render(board)            the Markdown alone
summarize(board)         what a reader sees first, as values
"""

from xharness.leaderboard.board import Board, assemble, definitions_of, metrics_of, read
from xharness.leaderboard.files import FILES, check, pages, save, write
from xharness.leaderboard.markdown import render
from xharness.leaderboard.summary import summarize

__all__ = [
    "FILES", "Board", "assemble", "check", "definitions_of", "metrics_of", "pages", "read",
    "render", "save", "summarize", "write",
]  # fmt: skip
