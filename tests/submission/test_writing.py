"""Exported folders take their place without touching anything beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from xharness.errors import ConfigurationError
from xharness.submission import folders


def _all(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_neighbour_called_partial_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "precious").write_text("a")
    folders._write({tmp_path / "out": {Path("xnli/en.tsv"): "b"}})
    assert _all(tmp_path) == [
        "out", "out.partial", "out.partial/precious", "out/xnli", "out/xnli/en.tsv",
    ]  # fmt: skip


def test_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    folders.check_free(Path(), None)
    folders._write({Path(): {Path("xnli/en.tsv"): "b"}})
    assert Path("xnli/en.tsv").read_text() == "b"
    assert _all(tmp_path) == ["here", "here/xnli", "here/xnli/en.tsv"]


def test_folders_are_as_open_as_any_other(tmp_path: Path) -> None:
    folders._write({tmp_path / "deep" / "out": {Path("en.tsv"): "b"}})
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "deep" / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_of_two_folders_both_appear_or_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    texts_of_folder = {
        tmp_path / "out": {Path("en.tsv"): "b"},
        tmp_path / "file" / "labels": {Path("en.tsv"): "b"},
    }
    with pytest.raises(ConfigurationError, match="cannot be written"):
        folders._write(texts_of_folder)
    assert _all(tmp_path) == ["file"]
