"""Disks that are full, without inodes or read-only, and files that may not be read."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, invoke

ERRORS = {
    "full": errno.ENOSPC,
    "no quota": errno.EDQUOT,
    "read-only": errno.EROFS,
    "failing": errno.EIO,
    "not allowed": errno.EACCES,
}


def fail_at(patch: pytest.MonkeyPatch, folder: Path, number: int, code: int) -> None:
    """From the write with this number on, nothing more can be written below `folder`."""
    writes = 0

    def failing(operation: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(path: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal writes
            target = Path(path) if isinstance(path, str | os.PathLike) else _path(path)
            if target.absolute().is_relative_to(folder):
                writes += 1
                if writes > number:
                    raise OSError(code, os.strerror(code), str(target))
            return operation(path, *arguments, **options)

        return wrapped

    for name in ("replace", "rename", "mkdir", "fsync"):
        patch.setattr(os, name, failing(getattr(os, name)))


def _path(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def run_as_nobody(project: Project, *words: str) -> tuple[int, str]:
    """Exit code and standard error of a command that another user types."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.setgid(65534)
        os.setuid(65534)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            result = invoke(project.folder, *words)
        os.write(writer, result.stderr[-4000:].encode())
        os._exit(result.exit_code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        err = pipe.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), err
