"""The store: a folder per stage key, complete when its receipt is there.

A stage's files are written first and the receipt is renamed in last, so that a receipt's presence
means done. What is read back is checked against the digests in the receipt.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from xharness.digests import file_digest
from xharness.errors import ConfigurationError, StageError
from xharness.files import write_json

RECEIPT = "receipt.json"
SCRATCH = "unfinished"
"""Folder inside a stage's folder for what does not outlive its completion."""


@dataclass(frozen=True)
class Receipt:
    """What a finished stage leaves: facts about it, and the digest of every file."""

    key: str
    facts: Mapping[str, Any]
    files: Mapping[str, str]


class Store:
    """Finished and unfinished stages under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # A backend may change the working directory: the store must not move with it.
        self._folder = root.absolute()
        self._verified: set[str] = set()

    def prepare(self) -> None:
        """Make the folder, and find out now rather than in an hour that it can't be written.

        Raises:
            ConfigurationError: not a folder, or not writable.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"the store cannot be written: {error.strerror}",
                where=str(self.root),
                hint="name another folder with --store",
            ) from None

    def folder(self, key: str) -> Path:
        """Where a stage lives."""
        return self._folder.joinpath(key[:2], key)

    def has(self, key: str) -> bool:
        """Whether the stage is finished."""
        return self._folder.joinpath(key[:2], key, RECEIPT).is_file()

    def started(self, key: str) -> bool:
        """Whether there is something to continue from."""
        return self._folder.joinpath(key[:2], key, SCRATCH).is_dir() and not self.has(key)

    def receipt(self, key: str) -> Receipt:
        """The receipt of a finished stage.

        Raises:
            StageError: the receipt is missing or damaged.
        """
        path = self.folder(key) / RECEIPT
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Receipt(key, dict(found["facts"]), dict(found["files"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StageError(
                f"not a readable receipt ({error})",
                where=str(path),
                hint=f"delete {path.parent} and run again",
            ) from None

    def open(self, key: str) -> Path:
        """The folder of a finished stage, its files checked once against their digests.

        Raises:
            StageError: a file is missing or differs from what was written.
        """
        folder = self.folder(key)
        if key not in self._verified:
            for name, expected in self.receipt(key).files.items():
                path = folder / name
                if not path.is_file() or file_digest(path) != expected:
                    raise StageError(
                        "this file is not the one that was stored",
                        where=str(path),
                        hint=f"delete {folder} and run again",
                    )
            self._verified.add(key)
        return folder

    @contextmanager
    def claim(self, key: str) -> Iterator[Path | None]:
        """Hold the stage's folder alone; None where another process holds it."""
        folder = self.folder(key)
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_suffix(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield None
            return
        try:
            yield folder
        finally:
            lock.release()

    def commit(self, key: str, facts: Mapping[str, Any]) -> Receipt:
        """Declare the stage finished: digests of all its files, then the receipt, atomically."""
        folder = self.folder(key)
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)
        for left in (folder / "failure.txt", *folder.rglob("*.partial")):
            left.unlink(missing_ok=True)
        files = {
            path.relative_to(folder).as_posix(): file_digest(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != RECEIPT
        }
        write_json(folder / RECEIPT, {"key": key, "facts": facts, "files": files})
        self._verified.add(key)
        return Receipt(key, facts, files)
