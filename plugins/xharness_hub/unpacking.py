"""How much a packed file may become: a few kilobytes can be made to fill any memory."""

from __future__ import annotations

import gzip
from pathlib import Path

_SMALL = 64 * 2**20  # bytes that nobody minds
_RATIO = 200  # of what is unpacked to what is packed; texts reach ten, tables thirty


def most_unpacked(path: Path) -> int:
    """The bytes that the packed file at `path` may become."""
    return max(_SMALL, _RATIO * path.stat().st_size)


def too_large(path: Path) -> OSError:
    """What is said of one that becomes more."""
    return OSError(f"unpacks to more than {most_unpacked(path) >> 20} MiB, as no data does")


class GzipText(gzip.GzipFile):
    """A gzipped file that ends with an error where it becomes too large.

    Raises:
        OSError: while it is read.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path, self._room = path, most_unpacked(path)

    def read1(self, size: int = -1) -> bytes:
        content = super().read1(size)
        self._room -= len(content)
        if self._room < 0:
            raise too_large(self._path)
        return content
