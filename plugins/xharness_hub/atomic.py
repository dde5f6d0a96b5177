"""Files that are there in full or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from xharness import atomic_file


@contextmanager
def atomic_binary_file(target: Path) -> Iterator[BinaryIO]:
    """A file to write that becomes `target` once the block ends well, and vanishes otherwise.

    Raises:
        OSError: the folder cannot be made or written to.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as partial, partial.open("wb") as file:
        yield file
