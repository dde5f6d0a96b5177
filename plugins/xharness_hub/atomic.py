"""Files that are there in full or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file to write that becomes `target` once the block ends well, and vanishes otherwise.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, because a file can only be renamed within one file system.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
