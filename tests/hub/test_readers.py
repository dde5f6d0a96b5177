"""Rows out of plain files, and what is said of broken ones."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from xharness.errors import UnavailableError
from xharness_hub.readers import ReaderOptions, read


def rows(path: Path, text: str, **options: Any) -> list[Any]:
    path.write_text(text, encoding="utf-8")
    return list(read([path], ReaderOptions.model_validate(options), "the split"))


def test_json_lines(tmp_path: Path) -> None:
    text = '{"a": 1}\n\n{"a": "b\u2028c"}\n'
    assert rows(tmp_path / "x.jsonl", text, reader="jsonl") == [{"a": 1}, {"a": "b\u2028c"}]


def test_json_with_a_field(tmp_path: Path) -> None:
    text = '{"version": "1.1", "data": [{"a": 1}]}'
    assert rows(tmp_path / "x.json", text, reader="json", field="data") == [{"a": 1}]
    assert rows(tmp_path / "x.json", '[{"a": 1}]', reader="json") == [{"a": 1}]


def test_csv(tmp_path: Path) -> None:
    text = '\ufeffid,text\r\n1,"two\r\nlines, one cell"\r\n\r\n2,b\r\n'
    assert rows(tmp_path / "x.csv", text, reader="csv") == [
        {"id": "1", "text": "two\r\nlines, one cell"},
        {"id": "2", "text": "b"},
    ]


def test_csv_without_a_header(tmp_path: Path) -> None:
    read_rows = rows(
        tmp_path / "x.csv", "1;b\n", reader="csv", delimiter=";", header=False, columns=["id", "t"]
    )
    assert read_rows == [{"id": "1", "t": "b"}]


def test_quotes_are_ordinary_in_tsv(tmp_path: Path) -> None:
    read_rows = rows(tmp_path / "x.tsv", 'a\tb\n"one\ttwo\n', reader="tsv")
    assert read_rows == [{"a": '"one', "b": "two"}]


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    assert len(rows(tmp_path / "x.csv", f"a\n{'x' * 200_000}\n", reader="csv")[0]["a"]) == 200_000


def test_lines(tmp_path: Path) -> None:
    text = "one\u0085more\n\nthree\r\n"
    assert rows(tmp_path / "x.txt", text, reader="lines") == [
        {"text": "one\u0085more"}, {"text": ""}, {"text": "three"},
    ]  # fmt: skip
    assert rows(tmp_path / "x.txt", "one", reader="lines", columns=["s"]) == [{"s": "one"}]


def test_gzip(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n'))
    assert list(read([path], ReaderOptions(reader="jsonl"), "x")) == [{"a": 1}]


def test_broken_gzip(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 1000)[:-10])
    with pytest.raises(UnavailableError, match=r"x\.jsonl\.gz: cannot be read"):
        list(read([path], ReaderOptions(reader="jsonl"), "x"))


def test_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    paths = [tmp_path / "b.txt", tmp_path / "a.txt"]
    for path in paths:
        path.write_text(path.stem)
    assert [row["text"] for row in read(paths, ReaderOptions(reader="lines"), "x")] == ["b", "a"]


@pytest.mark.parametrize(
    ("reader", "text", "message"),
    [
        ("jsonl", '{"a": 1}\n{"a": }\n', r"x:2: not JSON: Expecting value \(column 7\)"),
        ("jsonl", "[1]\n", r"x:1: list in place of a row; expected an object"),
        ("json", '[\n{"a" 1}]', r"x:2: not JSON"),
        ("json", '{"a": 1}', r"x: 'the file' does not hold rows; expected a list of objects"),
        ("csv", "a,b\n1,2\n1,2,3\n", r"x:3: 3 cells; expected 2"),
        ("csv", 'a,b\n1,"2\n', r"x:2: not CSV: unexpected end of data"),
        ("csv", "a,a\n1,2\n", r"x:1: two columns have the same name"),
        ("tsv", "a\tb\n1\n", r"x:2: 1 cells; expected 2"),
        ("csv", "a,b\n", r"the split: there is no row in it; expected at least one"),
        ("jsonl", "\n", r"the split: there is no row in it"),
        ("conll", "# nothing\n\n", r"the split: there is no row in it"),
    ],
)
def test_broken_files_are_named_with_their_line(
    tmp_path: Path, reader: str, text: str, message: str
) -> None:
    with pytest.raises(UnavailableError, match=message):
        rows(tmp_path / "x", text, reader=reader)


def test_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("é".encode("latin-1"))
    with pytest.raises(UnavailableError, match="x: not UTF-8 text"):
        list(read([tmp_path / "x"], ReaderOptions(reader="lines"), "x"))


def test_a_missing_field_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="did you mean 'data'"):
        rows(tmp_path / "x", '{"data": []}', reader="json", field="date")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reader": "csv", "field": "data"}, "for the reader json, not csv"),
        ({"reader": "csv", "columns": {"a": "form"}}, "must be a list of names"),
        ({"reader": "conll", "columns": ["form"]}, "must be a mapping"),
        ({"reader": "conll", "columns": {"tags": "upso"}}, "did you mean 'upos'"),
        ({"reader": "conll", "columns": {"tokens": 0, "tags": "upos"}}, "all places"),
        ({"reader": "conll", "columns": {"tokens": -1}}, "count from 0"),
        ({"reader": "conll", "columns": {"id": "form"}}, "none of them 'id'"),
        ({"reader": "csv", "header": False}, "must name the columns"),
        ({"reader": "csv", "delimiter": "||"}, "one character"),
        ({"reader": "csv", "seperator": ";"}, "unknown key 'seperator'"),
    ],
)
def test_options_that_cannot_be_right(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ReaderOptions.model_validate(options)
