"""Remembered digests."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from xharness_hub.digests import sha256


def test_digests_are_those_of_sha256sum_and_follow_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    assert sha256([path], tmp_path / "cache") == [hashlib.sha256(b"one").hexdigest()]
    path.write_bytes(b"other")
    assert sha256([path], tmp_path / "cache") == [hashlib.sha256(b"other").hexdigest()]


def test_an_unchanged_file_is_not_read_again(tmp_path: Path) -> None:
    path, memory = tmp_path / "x", tmp_path / "digests.json"
    path.write_bytes(b"one")
    (first,) = sha256([path], tmp_path)
    memory.write_text(memory.read_text().replace(first, "remembered"))
    assert sha256([path], tmp_path) == ["remembered"]


def test_other_content_of_the_same_size_and_time_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    sha256([path], tmp_path)
    state = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert sha256([path], tmp_path) == [hashlib.sha256(b"two").hexdigest()]


@pytest.mark.parametrize("text", ["", "[]", "{broken"])
def test_a_broken_memory_is_no_memory(tmp_path: Path, text: str) -> None:
    (tmp_path / "digests.json").write_text(text)
    (tmp_path / "x").write_bytes(b"one")
    sha256([tmp_path / "x"], tmp_path)
    assert len(json.loads((tmp_path / "digests.json").read_text())) == 1
    assert [path.name for path in tmp_path.glob(".*")] == []
