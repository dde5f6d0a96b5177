"""Disks that are full, without inodes or read-only, and files that may not be read."""

from __future__ import annotations

import errno
import io
import os
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.cli.project import Project, invoke

_NOBODY = 65534  # the user and group without rights, by Linux' convention
_RAISED, _CLOSED = (
    70,
    77,
)  # exit codes of the other user's process: it raised; it has no code to run
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
    """Exit code and standard error of a command that another user types.

    Skips the test where another user can't read the project's own code.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _end_as_nobody(project, words, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        err = pipe.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == _CLOSED:
        pytest.skip(f"another user may not read the code in {Path(__file__).parent}")
    return code, err


def _end_as_nobody(project: Project, words: Sequence[str], writer: int) -> NoReturn:
    code, err = _RAISED, ""
    # Whatever is raised, the child ends here: it would go on as a second run of the tests.
    try:
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
        if os.access(__file__, os.R_OK):
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                result = invoke(project.folder, *words)
            code, err = result.exit_code, result.stderr
        else:
            code = _CLOSED
    except BaseException:
        err = traceback.format_exc()
    finally:
        os.write(writer, err[-4000:].encode())
        os._exit(code)
