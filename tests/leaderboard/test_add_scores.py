"""A study that is computed piece by piece ends with the files of one run."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from xharness import open_study
from xharness.gaps import scores

SCRIPT = Path(__file__).parents[2] / "leaderboard/add_scores.py"
STUDY = {
    "name": "pieces",
    "models": [{"name": "most", "backend": "majority"}, {"name": "some", "backend": "random"}],
    "strategies": ["single", {"name": "again", "strategy": "single"}],
    "targets": ["mini_topic", "mini_ner"],
    "seeds": [1, 2],
}


def _study(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    return path


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The script, in this process; what it says."""
    monkeypatch.syspath_prepend(SCRIPT.parent)

    def run(study: Path, store: Path, only: str) -> list[str]:
        words = [str(SCRIPT), str(study), "--store", str(store), "--only", only]
        monkeypatch.setattr(sys, "argv", words)
        capsys.readouterr()
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def test_pieces_add_up_to_a_whole_run(tmp_path: Path, add: Any) -> None:
    whole, parts, store = _study(tmp_path / "whole"), _study(tmp_path / "parts"), tmp_path / "store"
    open_study(whole, store=store, seeds=2).run()
    assert add(parts, store, "seeds=1") == []
    assert add(parts, store, "models=most;strategies=single") == ["added: most · single · seed 2"]
    open_study(whole, store=store, output=tmp_path / "all").run()
    assert len(add(parts, store, "strategies=single,again")) == 7
    for name in ("scores.jsonl", "evidence.parquet"):
        assert (parts.parent / name).read_bytes() == (tmp_path / "all" / name).read_bytes()
    assert add(parts, store, "strategies=single") == []


def test_an_arm_that_shares_a_stage_has_the_score_that_is_there(tmp_path: Path, add: Any) -> None:
    """Another machine may have given the stage another one, by rounding."""
    study, store = _study(tmp_path / "parts"), tmp_path / "store"
    open_study(study, store=store, output=tmp_path / "all").run()
    add(study, store, "strategies=single")
    path = study.parent / "scores.jsonl"
    there = [replace(row, value=12.5) for row in scores.read(path)]
    scores.write(path, there)
    add(study, store, "strategies=again")
    assert {row.value for row in scores.read(path)} == {12.5}
    assert len([*scores.read(path)]) == 2 * len(there)
