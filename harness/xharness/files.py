"""Files that appear whole: a path holds all that was written to it, or is as it was."""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from xharness.errors import ConfigurationError, XharnessError, printable, reason_of


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A neighbour of `path` to write to; flushed to disk and renamed over it at the block's end.

    Its name is this process's own: two that write the same file do not meet, and the later one
    stands. After an error nothing is left of it, and after a power cut `path` is old or new.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    _remove_leftovers(path)
    try:
        yield partial
        # A rename may reach the disk before the bytes: a power cut would leave an empty file.
        _flush_file(partial)
        partial.replace(path)
        _flush_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed had begun to write in place of `path`."""
    if os.name != "posix":  # elsewhere asking for a process may end it
        return
    for entry in os.scandir(path.parent):
        match = _PARTIAL.fullmatch(entry.name)
        if (
            match is not None
            and match["name"] == path.name
            and not _is_alive(int(match["process"]))
        ):
            Path(entry.path).unlink(missing_ok=True)


_PARTIAL = re.compile(r"(?P<name>.+)\.(?P<process>\d+)\.partial", re.DOTALL)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


_LONGEST_NAME = 255  # bytes, on the file systems of all three systems


def path_inside(folder: Path, name: str) -> Path:
    """The file in `folder`, or below it, that a stranger calls `name`.

    Raises:
        ValueError: it leads out of the folder, or can be no file's name.
    """
    steps = name.split("/")
    leads_out = "\\" in name or ":" in steps[0] or steps[0].startswith("~")
    if leads_out or any(step in ("", ".", "..") or "\0" in step for step in steps):
        raise ValueError(f"'{printable(name)}' is no path inside its folder")
    if any(len(os.fsencode(step)) > _LONGEST_NAME for step in steps):
        raise ValueError(f"'{name[:40]}…' is longer than the name of a file can be")
    return folder.joinpath(*steps)


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


def move(source: Path, target: Path) -> None:
    """Rename `source` to `target` so that a power cut does not take the new name away again."""
    source.rename(target)
    _flush_folder(target.parent)


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
def writing(
    path: Path | None = None,
    *,
    name: str | None = None,
    hint: str | None = None,
    failures: tuple[type[Exception], ...] = (OSError,),
    error: type[XharnessError] = ConfigurationError,
) -> Iterator[None]:
    """Inside it, a write that is refused is an `error` about `path`, by default the file's.

    `name` says what of it could not be written, `failures` what the library that writes it raises.

    Raises:
        ConfigurationError: it cannot be written, and why; another class where `error` says so.
    """
    try:
        yield
    except failures as failure:
        location = str(path or getattr(failure, "filename", None) or "")
        what = f"the {name} cannot" if name else "cannot"
        message = f"{what} be written: {reason_of(failure)}"
        raise error(message, where=location or None, hint=hint) from failure


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` so that `path` either has all of it or is as it was."""
    with atomic_file(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    r"""Write UTF-8 text, its line ends as they are, so that `path` has all of it or is as it was.

    Half characters become `\udcff`, which JSON reads as what they were.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_changed(path: Path, text: str) -> bool:
    """Write `text` as `write_text` does unless `path` holds it already; whether it was written."""
    content = text.encode("utf-8", "backslashreplace")
    if path.is_file() and path.read_bytes() == content:
        return False
    write_bytes(path, content)
    return True


def write_json(path: Path, value: Any) -> None:
    """Write JSON, keys sorted, so that `path` either has all of it or is as it was."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """What `write_json` writes."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
