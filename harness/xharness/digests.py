"""Content addresses: blake2b over canonical JSON, and over the bytes of files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

_SIZE = 16  # bytes: 128 bits, far from any collision and short enough to read


def canonical(value: Any) -> bytes:
    r"""JSON with sorted keys, no spaces and no NaN: equal meaning gives equal bytes.

    Half characters are spelt as JSON reads them, `\udcff`.

    Raises:
        TypeError, ValueError: for anything JSON cannot say, so that a key never depends on `repr`.
    """
    # Equal mappings in another order must give one key; NaN is no JSON, and equals nothing.
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8", "backslashreplace")


def digest(value: Any) -> str:
    """The 32-digit address of a JSON value."""
    return hashlib.blake2b(canonical(value), digest_size=_SIZE).hexdigest()


def file_digest(path: Path) -> str:
    """The 32-digit address of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_SIZE)).hexdigest()
