"""Files appear whole or not at all, whoever else writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xharness.files import atomic_file, write_bytes, write_json, write_text


def test_what_was_there_stays_until_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with atomic_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_two_processes_have_a_neighbour_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    with atomic_file(path) as first_file:
        first_file.write_text("mine")
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with atomic_file(path) as second_file:
            second_file.write_text("theirs")
        assert path.read_text() == "theirs"
    assert path.read_text() == "mine"


def test_json_is_sorted_and_line_ends_stay(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"ü": 1, "b": [2]})
    assert (tmp_path / "a.json").read_bytes() == '{\n "b": [\n  2\n ],\n "ü": 1\n}\n'.encode()
    write_text(tmp_path / "b.txt", "a\r\nb\n")
    assert (tmp_path / "b.txt").read_bytes() == b"a\r\nb\n"
