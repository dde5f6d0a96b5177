"""Files that appear whole: a path holds all that was written to it, or is as it was."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xharness.errors import ConfigurationError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A neighbour of `path` to write to; flushed to disk and renamed over it at the block's end.

    Its name is this process's own: two that write the same file do not meet, and the later one
    stands. After an error nothing is left of it, and after a power cut `path` is old or new.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        # A rename may reach the disk before the bytes: a power cut would leave an empty file.
        _flush_file(partial)
        partial.replace(path)
        _flush_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def make_durable(folder: Path) -> None:
    """Have the disk hold `folder` with all files and folders in it before this returns.

    Raises:
        OSError: the disk refuses some of it.
    """
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _flush_file(Path(parent, name))
        _flush_folder(Path(parent))
    _flush_folder(folder.parent)


def make_folder(folder: Path) -> None:
    """Make `folder`, and those above it, so that a power cut does not take them away again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        _flush_folder(path.parent)


def _flush_file(path: Path) -> None:
    # Windows flushes only what is open for writing; a file of somebody else's may only be read.
    with path.open("rb+" if os.access(path, os.W_OK) else "rb") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    # Windows opens no folder, and some network file systems keep no names back.
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
                raise
        finally:
            os.close(descriptor)


@contextmanager
def writing(path: Path | None = None, *, hint: str | None = None) -> Iterator[None]:
    """Inside it, a write that the system refuses is an error about `path`, by default the file's.

    Raises:
        ConfigurationError: it cannot be written, and why.
    """
    try:
        yield
    except OSError as error:
        location, reason = str(path or error.filename or ""), error.strerror or str(error)
        raise ConfigurationError(
            f"cannot be written: {reason}", where=location or None, hint=hint
        ) from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` so that `path` either has all of it or is as it was."""
    with whole(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    r"""Write UTF-8 text, its line ends as they are, so that `path` has all of it or is as it was.

    Half characters become `\udcff`, which JSON reads as what they were.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write JSON, keys sorted, so that `path` either has all of it or is as it was."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
