"""The store: done means receipt, and what is read is what was written."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from xharness.errors import ConfigurationError, StageError
from xharness.files import write_text
from xharness.store import SCRATCH, Store

KEY = "ab" * 16


def _finish(store: Store) -> Path:
    with store.claim(KEY) as folder:
        (folder / SCRATCH).mkdir()
        (folder / SCRATCH / "half").write_text("work in progress")
        (folder / "deep").mkdir()
        (folder / "deep" / "answer.txt").write_text("42")
        store.commit(KEY, {"stage": "score"})
    return folder


def test_done_means_receipt(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert not store.has(KEY)
    with store.claim(KEY) as folder:
        (folder / SCRATCH).mkdir()
    assert store.started(KEY) and not store.has(KEY)
    folder = _finish_again(store, folder)
    assert store.has(KEY) and not store.started(KEY)
    assert list(store.receipt(KEY).files) == ["answer.txt"]
    assert not (folder / SCRATCH).exists()


def _finish_again(store: Store, folder: Path) -> Path:
    (folder / "answer.txt").write_text("42")
    store.commit(KEY, {})
    return folder


@pytest.mark.parametrize("damage", ["41", None])
def test_a_damaged_file_is_noticed(tmp_path: Path, damage: str | None) -> None:
    folder = _finish(Store(tmp_path))
    answer = folder / "deep" / "answer.txt"
    if damage is None:
        answer.unlink()
    else:
        answer.write_text(damage)
    with pytest.raises(StageError, match="not the one that was stored") as caught:
        Store(tmp_path).open(KEY)
    assert "answer.txt" in str(caught.value)
    assert "run again" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"key": KEY})])
def test_a_damaged_receipt_is_noticed(tmp_path: Path, text: str) -> None:
    folder = _finish(Store(tmp_path))
    (folder / "receipt.json").write_text(text)
    with pytest.raises(StageError, match="not a readable receipt"):
        Store(tmp_path).open(KEY)


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Store(tmp_path / "file" / "store").prepare()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_read_only_store_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        Store(tmp_path).prepare()


def test_a_failed_write_leaves_the_old_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scores.jsonl"
    write_text(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.jsonl"]


def _hold(root: Path, seconds: float) -> None:
    store = Store(root)
    with store.claim(KEY) as folder:
        assert folder is not None
        (folder / "held").touch()
        time.sleep(seconds)
        _finish_again(store, folder)


def test_a_stage_belongs_to_one_process(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(tmp_path, 0.5))
    process.start()
    store = Store(tmp_path)
    while not (store.folder(KEY) / "held").exists():
        time.sleep(0.01)
    assert not store.has(KEY)
    with store.claim(KEY) as folder:
        assert folder is None
    while not store.has(KEY):
        time.sleep(0.01)
    process.join()
    assert process.exitcode == 0
    with store.claim(KEY) as folder:
        assert folder == store.folder(KEY)
