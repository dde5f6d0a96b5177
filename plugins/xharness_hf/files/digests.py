"""Digests of large files, remembered so that weights are read once."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from xharness import file_digest, read_json, whole


def cached_digest(file: Path, cache: Path) -> str:
    """The digest of `file`, read again only when its size or time of change differs."""
    cache_file = cache / "weights.json"
    digests: dict[str, list[Any]] = {}
    with suppress(OSError, ValueError):
        digests = read_json(cache_file)
    path, stat = str(file.resolve()), file.stat()
    entry = digests.get(path)
    # Hashing gigabytes takes seconds, and every plan asks again.
    if isinstance(entry, list) and entry[:2] == [stat.st_size, stat.st_mtime_ns]:
        return str(entry[2])
    digest = file_digest(file)
    _write(cache_file, digests | {path: [stat.st_size, stat.st_mtime_ns, digest]})
    return digest


def _write(cache_file: Path, digests: dict[str, list[Any]]) -> None:
    with suppress(OSError):  # a cache that cannot be written costs time, not answers
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        with whole(cache_file) as partial:
            partial.write_text(json.dumps(digests), encoding="utf-8")
