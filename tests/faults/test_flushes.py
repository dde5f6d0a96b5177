"""Nothing counts as done before it is on the disk: checked in a run that nobody disturbs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, fresh
from tests.faults.flushes import Watch
from tests.faults.kills import project_to_kill


def _faults(folder: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """The rules that a run breaks."""
    project = project_to_kill(folder / "project")
    return _watched(project, patch)


def _watched(project: Project, patch: pytest.MonkeyPatch, *words: str) -> list[str]:
    watch = Watch(project.folder)
    with patch.context() as inner:
        watch.install(inner)
        result = project.run("--offline", *words)
    assert result.exit_code == 0, result.stderr
    watch.check_end(project.folder)
    return watch.faults


def test_all_is_safe_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _faults(tmp_path, monkeypatch)


def _nothing(*arguments: Any) -> None:
    """In place of a flush."""


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (["files._flush_file"], "the bytes of"),
        (["files._flush_folder"], "the name"),
        (["executor.train.make_durable"], "model gets its name"),
        (["executor.train.make_durable", "store.receipt.make_durable"], "a receipt is written"),
    ],
)
def test_a_flush_that_is_missing_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: list[str], fault: str
) -> None:
    for name in broken:
        monkeypatch.setattr(f"xharness.{name}", _nothing)
    assert any(fault in text for text in _faults(tmp_path, monkeypatch))


def _learning(folder: Path) -> Project:
    """A study that trains a tiny encoder, with a checkpoint after every step."""
    folder.mkdir()
    project = fresh(folder)
    scratch = {"architecture": "bert", "hidden": 16, "num_layers": 1, "heads": 2}
    project.study |= {
        "models": [{"name": "tiny", "scratch": scratch | {"tokenizer": {"vocabulary": 300}}}],
        "strategies": [{"name": "chosen", "strategy": "single", "selection": "source-dev"}],
        "targets": [{"task": "mini_topic", "languages": ["en", "de"], "limit": 4}],
        "train_limit": 8,
        "recipe": {"steps": 4, "batch_size": 4, "max_length": 16},
        "runtime": {"checkpoint_seconds": 0, "device": "cpu"},
    }
    return project.write()


@pytest.mark.slow
def test_checkpoints_and_models_are_safe_before_they_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not _watched(_learning(tmp_path / "sound"), monkeypatch)
    monkeypatch.setattr("xharness_hf.training.checkpoint.make_durable", _nothing)
    faults = _watched(_learning(tmp_path / "broken"), monkeypatch)
    assert any("checkpoint-2 gets its name" in fault for fault in faults)
    assert any("checkpoint-1 is removed" in fault for fault in faults)
