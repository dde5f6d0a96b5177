"""The lock file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import RunEnvironment
from xharness_hub.lock import Lock

DATASET = "org/name@main"


def _lock(folder: Path) -> Lock:
    return Lock(RunEnvironment(base=folder, cache=folder / "cache"))


def test_the_first_commit_stays(tmp_path: Path) -> None:
    lock = _lock(tmp_path / "new")
    assert lock.commit(DATASET) is None
    assert lock.hold_commit(DATASET, "a" * 40) == "a" * 40
    assert lock.hold_commit(DATASET, "b" * 40) == "a" * 40
    assert _lock(tmp_path / "new").commit(DATASET) == "a" * 40


def test_a_changed_file_is_refused_by_name_with_a_way_out(tmp_path: Path) -> None:
    lock = _lock(tmp_path)
    lock.hold_files(DATASET, "a" * 40, {"x.parquet": "1" * 64, "y.parquet": "2" * 64})
    old_bytes = lock.path.read_bytes()
    with pytest.raises(UnavailableError) as caught:
        lock.hold_files(DATASET, "a" * 40, {"y.parquet": "3" * 64, "z.parquet": "4" * 64})
    text = str(caught.value)
    assert "'y.parquet' has changed since it was first downloaded" in text
    assert "222222222222… then, 333333333333… now" in text
    assert f"delete the entry 'datasets: {DATASET}'" in text
    assert str(lock.path) in text
    assert lock.path.read_bytes() == old_bytes


def test_addresses_are_held_too(tmp_path: Path) -> None:
    lock = _lock(tmp_path)
    lock.hold_url("https://a/b", "1" * 64)
    lock.hold_url("https://a/b", "1" * 64)
    with pytest.raises(UnavailableError, match="https://a/b"):
        lock.hold_url("https://a/b", "2" * 64)
    assert json.loads(lock.path.read_text())["urls"] == {"https://a/b": "1" * 64}


def test_a_broken_lock_file_is_not_overwritten(tmp_path: Path) -> None:
    lock = _lock(tmp_path)
    lock.path.write_text("<<<<<<< ours")
    with pytest.raises(ConfigurationError, match="not a lock file"):
        lock.hold_url("https://a/b", "1" * 64)
    assert lock.path.read_text() == "<<<<<<< ours"
