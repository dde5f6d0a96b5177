"""`leaderboard.html`: the board in one file that needs nothing else, not even a network."""

from xharness.leaderboard.page.assemble import page

__all__ = ["page"]
