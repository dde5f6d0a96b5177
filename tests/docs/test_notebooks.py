"""The notebooks of the documents show what they show today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.notebooks import FOLDER, executed, written

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_its_cells_give(path: Path, tmp_path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    fresh = executed(notebook, tmp_path)
    for cell, fresh_cell in zip(notebook["cells"], fresh["cells"], strict=True):
        for output, fresh_output in zip(
            cell.get("outputs", ()), fresh_cell.get("outputs", ()), strict=True
        ):
            # Another matplotlib draws other bytes, which are the figures' own tests to judge.
            if "image/svg+xml" not in output.get("data", {}):
                advice = "renew it: python -m tests.docs.notebooks"
                assert fresh_output == output, advice
    assert written(notebook) == path.read_text(encoding="utf-8")


def test_there_is_one() -> None:
    assert NOTEBOOKS
