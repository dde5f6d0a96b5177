"""JSON that somebody else wrote, or something else damaged: read within limits.

Every fault is a ValueError of one line, so that a reader needs to know of no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xharness.errors import reason_of

Pairs = Callable[[list[tuple[str, Any]]], Any]

MOST_BYTES = 64 * 2**20
"""Of a file that is read as one value; real configurations have kilobytes, tokenizers megabytes."""
_MOST_DEPTH = 64  # real files have a handful of levels
_MOST_DIGITS = 64  # of a whole number: some ids have forty, and none is more than that
_HALF = re.compile("[\ud800-\udfff]")


def read_json(path: Path) -> Any:
    """The value in the file at `path`.

    Raises:
        OSError: it cannot be read.
        ValueError: as `parse_json`, or the file is larger than any such file is.
    """
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES >> 20} MiB")
    return parse_json(content)


def parse_json(text: str | bytes, pairs: Pairs | None = None) -> Any:
    """The value that `text` is; `pairs` makes a value of an object's pairs.

    Raises:
        ValueError: not JSON, not UTF-8, too deep, a number too long, or half a character in it.
    """
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        decoder = _DECODER if pairs is None else _decoder(pairs)
        value = decoder.decode(text)
    except UnicodeDecodeError as error:
        raise ValueError(reason_of(error)) from None
    except RecursionError:
        raise ValueError(_too_deep()) from None
    # Counted first, because walking through a value takes longer than reading it.
    if text.count("[") + text.count("{") > _MOST_DEPTH:
        _check_depth(value)
    if "\\ud" in text or "\\uD" in text:
        _check_halves(value)
    return value


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _decoder(pairs: Pairs | None = None) -> json.JSONDecoder:
    return json.JSONDecoder(parse_int=_integer, object_pairs_hook=pairs)


_DECODER = _decoder()


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MOST_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise ValueError(_too_deep())


def _too_deep() -> str:
    return f"values stand more than {_MOST_DEPTH} deep inside each other"


def _check_halves(value: Any) -> None:
    """Refuse what no file, no tokenizer and no terminal can be given."""
    half = _HALF.search(json.dumps(value, ensure_ascii=False))
    if half is not None:
        raise ValueError(f"half a character (\\u{ord(half[0]):x}) stands alone")
