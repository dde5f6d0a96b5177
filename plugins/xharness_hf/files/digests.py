"""Digests of large files, remembered so that weights are read once."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from xharness import file_digest


def remembered(file: Path, cache: Path) -> str:
    """The digest of `file`, read again only when its size or time of change differs."""
    memory = cache / "weights.json"
    known: dict[str, list[Any]] = {}
    with suppress(OSError, ValueError):
        known = json.loads(memory.read_text(encoding="utf-8"))
    path, stat = str(file.resolve()), file.stat()
    entry = known.get(path)
    if isinstance(entry, list) and entry[:2] == [stat.st_size, stat.st_mtime_ns]:
        return str(entry[2])
    found = file_digest(file)
    _replace(memory, known | {path: [stat.st_size, stat.st_mtime_ns, found]})
    return found


def _replace(memory: Path, known: dict[str, list[Any]]) -> None:
    with suppress(OSError):  # a cache that cannot be written costs time, not answers
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=memory.parent, prefix=".weights")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(known, file)
        Path(name).replace(memory)
