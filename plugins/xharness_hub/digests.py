"""SHA-256 of files, remembered for as long as a file keeps its size, times and inode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from xharness import read_json
from xharness_hub.atomic import atomic_binary_file


def sha256(paths: Sequence[Path], cache: Path) -> list[str]:
    """The SHA-256 of each file, in hexadecimal; `cache` holds `digests.json`.

    SHA-256 rather than the harness's own digest, because that is what publishers print and what
    users can check with `sha256sum`.

    Raises:
        OSError: a file cannot be read.
    """
    memory = cache / "digests.json"
    remembered_digests = _recall(memory)
    fresh: dict[str, list[object]] = {}
    hexdigests = []
    for path in paths:
        # A clone made by links has its bytes elsewhere; equal bytes are hashed once.
        real = path.resolve()
        state = real.stat()
        # Of these only the time of change cannot be set back by whoever replaces the content.
        marks = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
        entry = remembered_digests.get(str(real))
        if not isinstance(entry, list) or entry[:-1] != marks:
            with real.open("rb") as file:
                entry = [*marks, hashlib.file_digest(file, "sha256").hexdigest()]
            fresh[str(real)] = entry
        hexdigests.append(str(entry[-1]))
    if fresh:
        _remember(memory, fresh)
    return hexdigests


def _recall(memory: Path) -> dict[str, list[object]]:
    try:
        remembered_digests = read_json(memory)
    except (OSError, ValueError):
        return {}
    return remembered_digests if isinstance(remembered_digests, dict) else {}


def _remember(memory: Path, fresh: dict[str, list[object]]) -> None:
    # Another process may write in between: what it learnt is hashed once more, nothing is wrong.
    with suppress(OSError), atomic_binary_file(memory) as file:
        file.write(json.dumps(_recall(memory) | fresh, indent=0).encode())
