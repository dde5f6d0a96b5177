"""A study that is computed piece by piece ends with the files of one run."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
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


def test_pieces_add_up_to_a_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, parts, store = _study(tmp_path / "whole"), _study(tmp_path / "parts"), tmp_path / "store"
    monkeypatch.syspath_prepend(SCRIPT.parent)

    def added(only: str) -> list[str]:
        words = [str(SCRIPT), str(parts), "--store", str(store), "--only", only]
        monkeypatch.setattr(sys, "argv", words)
        capsys.readouterr()
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    open_study(whole, store=store, seeds=2).run()
    assert added("seeds=1") == []
    assert added("models=most") == ["added: most · single · seed 2"]
    open_study(whole, store=store, output=tmp_path / "again").run()
    assert len(added("strategies=single")) == 3
    for name in ("scores.jsonl", "evidence.parquet"):
        assert (parts.parent / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert added("strategies=single") == []
