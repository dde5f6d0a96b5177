"""The source `file`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xharness.errors import UnavailableError
from xharness.plugin.api import SourceRequest
from xharness_hub.files import FileSource

Ask = Callable[..., SourceRequest]
SOURCE = FileSource()


@pytest.fixture(autouse=True)
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "a.test.txt").write_text("one\n")
    (folder / "b.test.txt").write_text("two\n")
    return folder


@pytest.mark.parametrize(
    "path",
    [
        ["a.test.txt", "b.test.txt"],
        ["a.{split}.txt", "b.{split}.txt"],
        {"test": ["a.test.txt", "b.test.txt"], "train": "a.test.txt"},
    ],
)
def test_rows_in_the_order_of_the_files(ask: Ask, path: object) -> None:
    request = ask(SOURCE, path=path, reader="lines")
    assert [row["text"] for row in SOURCE.rows(request)] == ["one", "two"]
    assert [row["text"] for row in SOURCE.rows(request)] == ["one", "two"]


def test_the_fingerprint_follows_bytes_and_reading_only(ask: Ask, study: Path) -> None:
    first = SOURCE.fingerprint(ask(SOURCE, path="a.test.txt", reader="lines"))
    (study / "c.txt").write_text("one\n")
    assert SOURCE.fingerprint(ask(SOURCE, path="c.txt", reader="lines")) == first
    assert SOURCE.fingerprint(ask(SOURCE, path="b.test.txt", reader="lines")) != first
    assert SOURCE.fingerprint(ask(SOURCE, path="a.test.txt", reader="csv")) != first


def test_a_missing_file_names_its_nearest_neighbour(ask: Ask) -> None:
    with pytest.raises(UnavailableError, match="there is no such file") as caught:
        SOURCE.fingerprint(ask(SOURCE, path="a.tset.txt", reader="lines"))
    assert "did you mean 'a.test.txt'?" in str(caught.value)


def test_a_missing_split_names_the_existing_ones(ask: Ask) -> None:
    with pytest.raises(UnavailableError, match="no split 'test'") as caught:
        SOURCE.rows(ask(SOURCE, path={"dev": "a.test.txt"}, reader="lines"))
    assert "known: dev" in str(caught.value)
