"""What has reached the disk of what a process writes, and the rules that a power cut needs.

A file's bytes reach the disk when it is flushed, its name when its folder is. The rules: nothing
gets its final name before its bytes are safe; a receipt's name comes after all that it vouches for;
nothing is removed for whose sake something newer is not safe; and at the end all of it is safe.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from xharness.store import RECEIPT, SCRATCH


class Flushes:
    """The files and names below `root` that a power cut would leave as they are."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._bytes: dict[int, tuple[int, int]] = {}
        self._names: set[str] = set()
        for path in root.rglob("*"):
            self._names.add(str(path))
            self._note(path)

    def flush(self, descriptor: int) -> Path:
        """Note what a flush of the open file or folder makes safe; which it is."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_dir():
            self._names |= {str(entry) for entry in path.iterdir()}
        else:
            self._note(path)
        return path

    def rename(self, source: Path, target: Path) -> None:
        """Note that what is in a folder goes along with it; its new name is safe only later."""
        prefix = f"{source}/"
        inner = {name for name in self._names if name.startswith(prefix)}
        self._names |= {str(target / name[len(prefix) :]) for name in inner}

    def _note(self, path: Path) -> None:
        if path.is_file():
            state = path.stat()
            self._bytes[state.st_ino] = (state.st_size, state.st_mtime_ns)

    def has_bytes(self, path: Path) -> bool:
        """Whether the bytes of the file are safe, as they are now."""
        state = path.stat()
        return self._bytes.get(state.st_ino) == (state.st_size, state.st_mtime_ns)

    def has_name(self, path: Path) -> bool:
        """Whether its folder was flushed since it got its name."""
        return str(path) in self._names

    def lost(self, folder: Path) -> Iterator[str]:
        """What of a folder, or of a file, a power cut would take, itself included."""
        for path in (folder, *sorted(folder.rglob("*"))):
            if path.suffix == ".lock" or ".partial" in path.suffixes:
                continue
            name = path.relative_to(self._root)
            if path != folder and not self.has_name(path):
                yield f"the name {name}"
            if path.is_file() and not self.has_bytes(path):
                yield f"the bytes of {name}"


class Watch:
    """Notes where a process breaks a rule, below `root`."""

    def __init__(self, root: Path) -> None:
        self._root, self._flushes = root, Flushes(root)
        self.faults: list[str] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Watch this process from now on."""
        patch.setattr(os, "fsync", self._flushes.flush)
        for name in ("replace", "rename"):
            patch.setattr(os, name, self._checked_rename(getattr(os, name)))
        patch.setattr(os, "rmdir", self._checked_removal(os.rmdir))

    def _checked_rename(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def rename(source: Any, target: Any, **options: Any) -> Any:
            old, new = Path(source).absolute(), Path(target).absolute()
            if old.is_relative_to(self._root):
                self._check(f"{new.name} gets its name", self._flushes.lost(old))
                if new.name == RECEIPT:
                    self._check_receipt(new.parent)
            result = operation(source, target, **options)
            self._flushes.rename(old, new)
            return result

        return rename

    def _check_receipt(self, folder: Path) -> None:
        """The receipt itself is still a partial file, and lists nothing that is unfinished."""
        entries = [
            entry
            for entry in folder.iterdir()
            if entry.name != SCRATCH and entry.suffix != ".partial"
        ]
        lost = [name for entry in entries for name in self._flushes.lost(entry)]
        nameless = [path for path in (*entries, folder) if not self._flushes.has_name(path)]
        self._check("a receipt is written", [*lost, *(f"the name {path}" for path in nameless)])

    def _checked_removal(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def rmdir(path: Any, **options: Any) -> Any:
            folder = Path(os.fspath(path)).absolute()
            if folder.parent.name == "checkpoint" and folder.is_relative_to(self._root):
                newer = [entry for entry in folder.parent.iterdir() if entry != folder]
                nameless = [str(path) for path in newer if not self._flushes.has_name(path)]
                lost = [name for entry in newer for name in self._flushes.lost(entry)]
                self._check(f"{folder.name} is removed", [*lost, *nameless])
            return operation(path, **options)

        return rmdir

    def check_end(self, *folders: Path) -> None:
        """Everything that a command leaves there is safe when it ends."""
        for folder in folders:
            self._check("the command ends", self._flushes.lost(folder))

    def _check(self, event: str, lost: Iterator[str] | list[str]) -> None:
        self.faults += [f"when {event}, a power cut would take {name}" for name in lost]
