"""`leaderboard.html`: the board in one file that needs nothing else, not even a network."""

from xharness.leaderboard.html.page import page

__all__ = ["page"]
