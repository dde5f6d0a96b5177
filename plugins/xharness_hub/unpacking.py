"""How much a packed file may become: a few kilobytes can be made to fill any memory."""

from __future__ import annotations

import gzip
import zipfile
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


def check_packed(path: Path) -> None:
    """Refuse a packed file that becomes too large, before somebody else unpacks it.

    Raises:
        OSError: it does, or nobody can tell.
    """
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:  # which unpacks no more than it says here
            size = sum(member.file_size for member in archive.infolist())
    elif path.suffix in _STREAMS:
        size = _streamed_size(path)
    elif path.suffix in _OTHERS:
        raise OSError(f"files packed as *{path.suffix} are not read: unpack {path.name}")
    else:
        return
    if size > most_unpacked(path):
        raise too_large(path)


_STREAMS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd", ".lz4": "lz4"}
_OTHERS = (".xz", ".7z", ".rar", ".tar", ".tgz")
_BLOCK = 2**20  # a bomb is seen before much of it is unpacked


def _streamed_size(path: Path) -> int:
    """The bytes that a packed file becomes, counted no further than they may."""
    import pyarrow

    size, most = 0, most_unpacked(path)
    with pyarrow.input_stream(str(path), compression=_STREAMS[path.suffix]) as stream:
        while size <= most and (block := stream.read(_BLOCK)):
            size += len(block)
    return size
