"""A study that is computed piece by piece ends with the files of one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from xharness import open_study

SCRIPT = Path(__file__).parents[2] / "leaderboard/add_scores.py"
STUDY = {
    "name": "pieces",
    "models": [{"name": "most", "backend": "majority"}, {"name": "some", "backend": "random"}],
    "strategies": ["single"],
    "targets": ["mini_topic", "mini_ner"],
    "seeds": [1, 2],
}


def _study(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    return path


def _add(study: Path, store: Path, only: str) -> str:
    command = [sys.executable, str(SCRIPT), str(study), "--store", str(store), "--only", only]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_pieces_add_up_to_a_whole_run(tmp_path: Path) -> None:
    whole, parts, store = _study(tmp_path / "whole"), _study(tmp_path / "parts"), tmp_path / "store"
    open_study(whole, store=store, seeds=2).run()
    assert _add(parts, store, "seeds=1") == ""
    assert _add(parts, store, "models=most") == "added: most · single · seed 2\n"
    open_study(whole, store=store, output=tmp_path / "again").run()
    assert _add(parts, store, "strategies=single").count("added: ") == 3
    for name in ("scores.jsonl", "evidence.parquet"):
        assert (parts.parent / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert _add(parts, store, "strategies=single") == ""
