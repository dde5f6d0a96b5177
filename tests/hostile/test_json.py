"""One reader for all JSON from outside: every fault is one line, and none takes long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xharness import read_json
from xharness.json_text import MOST_BYTES, parse_json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "64 deep"),
        ("[" * 100 + "]" * 100, "64 deep"),
        ('{"a":' * 100 + "1" + "}" * 100, "64 deep"),
        ("1" * 5000, "5000 digits"),
        ('"\\ud83d"', r"half a character \(\\ud83d\)"),
        ('{"\\uDC00": 1}', "half a character"),
        (b'"\xff"', "not UTF-8"),
        ("{", "Expecting property name"),
        ("", "Expecting value"),
    ],
)
def test_every_fault_is_a_line(text: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [[[1]] * 500, {"a": ["\U0001f600", "é"]}, 10**40, [1.5, None]])
def test_what_is_sound_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode()) == value


def test_a_file_larger_than_any_such_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ValueError, match="more than 64 MiB"):
        read_json(path)
