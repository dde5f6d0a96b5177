"""Write the golden page anew. Read the difference before it is committed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.leaderboard import synthetic

from xharness.leaderboard import render

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        page = render(synthetic.board(Path(folder)))
    Path(__file__).with_name("golden.md").write_text(page, encoding="utf-8")
