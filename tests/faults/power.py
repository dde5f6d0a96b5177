"""A process that dies at its n-th file operation, and what a power cut leaves of its files.

In the model of a power cut, what was never flushed is emptied or half zeroed, and a name that its
folder was never flushed with may be gone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Literal

from tests.faults.flushes import Flushes

Death = Literal["clock", "operation", "torn", "power"]


class Disk:
    """Counts flushes and renames below `root`; at the chosen one the process dies."""

    def __init__(self, root: Path, death: Death, operation: int, random: Random) -> None:
        self._root, self._death, self._random = root, death, random
        self._left = operation
        self._flushes = Flushes(root)
        self._unlink = os.unlink

    def install(self) -> None:
        """Watch this process from now on."""
        os.fsync = self._fsync  # type: ignore[assignment]
        for name in ("replace", "rename", "unlink", "rmdir"):
            setattr(os, name, self._counted(getattr(os, name)))

    def _fsync(self, descriptor: int) -> None:
        self._count(Path(f"/proc/self/fd/{descriptor}").readlink())
        self._flushes.flush(descriptor)

    def _counted(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *arguments: Any, **options: Any) -> Any:
            source = Path(os.fspath(path)).absolute()
            self._count(source)
            result = operation(path, *arguments, **options)
            if arguments:
                self._flushes.rename(source, Path(arguments[0]).absolute())
            return result

        return counted

    def _count(self, path: Path) -> None:
        if not path.absolute().is_relative_to(self._root):
            return
        self._left -= 1
        if self._left < 0:
            self.die(path)

    def die(self, path: Path) -> None:
        """Leave behind what this death leaves, and end."""
        if self._death == "torn" and path.is_file():
            os.truncate(path, path.stat().st_size // 2)
        if self._death == "power":
            self._cut()
        os.kill(os.getpid(), signal.SIGKILL)

    def _cut(self) -> None:
        for path in sorted(self._root.rglob("*"), reverse=True):
            if not path.is_file() or path.name.endswith(".lock"):
                continue
            if not self._flushes.has_bytes(path):
                content = path.read_bytes()
                half = content[: len(content) // 2] + bytes(len(content) - len(content) // 2)
                path.write_bytes(self._random.choice([b"", half, bytes(len(content))]))
            if not self._flushes.has_name(path) and self._random.random() < 0.5:
                self._unlink(path)
