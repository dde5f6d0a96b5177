"""Write the golden page anew. Read the difference before it is committed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.leaderboard import synthetic

from xharness.leaderboard import Board
from xharness.leaderboard.markdown import details, render


def every_page(board: Board) -> str:
    """The first page, then those of the details under their names."""
    pages = {"leaderboard.md": render(board), **details(board)}
    return "".join(f"<!-- {name} -->\n{text}\n" for name, text in pages.items())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Path(__file__).with_name("golden.md").write_text(
            every_page(synthetic.board(Path(folder))), encoding="utf-8"
        )
