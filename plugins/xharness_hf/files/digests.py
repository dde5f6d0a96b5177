"""Digests of large files, remembered so that weights are read once."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from xharness import atomic_file, file_digest, read_json


def cached_digest(file: Path, cache: Path) -> str:
    """The digest of `file`, read again only when its size, inode or times differ."""
    cache_file = cache / "weights.json"
    digests: dict[str, list[Any]] = {}
    with suppress(OSError, ValueError, TypeError):
        digests = dict(read_json(cache_file))
    path, stat = str(file.resolve()), file.stat()
    entry = digests.get(path)
    # Hashing gigabytes takes seconds, and every plan asks again. Of these marks only the time of
    # change cannot be set back by whoever replaces the content.
    marks = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    if isinstance(entry, list) and entry[:-1] == marks:
        return str(entry[-1])
    digest = file_digest(file)
    _write(cache_file, digests | {path: [*marks, digest]})
    return digest


def _write(cache_file: Path, digests: dict[str, list[Any]]) -> None:
    with suppress(OSError):  # a cache that cannot be written costs time, not answers
        cache_file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(cache_file) as partial:
            partial.write_text(json.dumps(digests), encoding="utf-8")
