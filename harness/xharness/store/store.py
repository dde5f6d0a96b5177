"""A folder of stages: each has its own, named by its key, complete when its receipt is there.

A stage's files are written first and the receipt is renamed in last, so that a receipt's presence
means done. What is read back is checked against the digests in the receipt; a stage that fails that
check is moved aside, never deleted, and done again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from xharness.errors import StageError, reason_of
from xharness.files import make_folder, move, writing
from xharness.store.receipt import RECEIPT, SCRATCH, WITHOUT_WEIGHTS, DamagedStageError, Receipt

MODEL = "model"
"""Folder inside a training's folder with its weights."""
PREDICTIONS = "predictions"
"""Folder inside the folder of a stage that answers: a table a language."""
FAILURE = "failure.txt"
"""File inside a stage's folder: why the last attempt failed, until one succeeds."""
DAMAGED = "damaged"
"""Folder of the store for stages that are not as they were stored."""


def _no_lock(folder: Path, error: Exception) -> StageError:
    """What is said where nobody can tell whether another process works on a stage."""
    return StageError(
        f"the stage's folder cannot be locked: {reason_of(error)}",
        where=str(folder),
        hint="network file systems may lack locks: name a store on another with --store",
    )


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
            ConfigurationError: not a folder, or one that cannot be written.
        """
        with writing(self.root, hint="name another folder for the store with --store"):
            self.root.mkdir(parents=True, exist_ok=True)
            # With the process id, because several runs may probe one store at once.
            probe = self.root / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()

    def folder(self, key: str) -> Path:
        """Where a stage lives."""
        # Spread over 256 folders: one of a hundred thousand entries is slow on network disks.
        return self._folder.joinpath(key[:2], key)

    def has(self, key: str) -> bool:
        """Whether the stage is finished."""
        return self._folder.joinpath(key[:2], key, RECEIPT).is_file()

    def has_facts(self, key: str) -> bool:
        """Whether the stage was finished, even if its weights are gone."""
        return self.has(key) or (self.folder(key) / WITHOUT_WEIGHTS).is_file()

    def remove_weights(self, key: str) -> None:
        """Remove a finished training's model; its facts stay, and it counts as not stored.

        Left alone while another process holds it.
        """
        with self.claim(key) as folder:
            if folder is not None and self.has(key):
                # Safe before its model goes: no receipt may vouch for what is not there.
                move(folder / RECEIPT, folder / WITHOUT_WEIGHTS)
                self._verified.discard(key)
                shutil.rmtree(folder / MODEL, ignore_errors=True)

    def started(self, key: str) -> bool:
        """Whether there is something to continue from."""
        return self._folder.joinpath(key[:2], key, SCRATCH).is_dir() and not self.has(key)

    def receipt(self, key: str) -> Receipt:
        """The receipt of a finished stage.

        Raises:
            DamagedStageError: the receipt is missing, or is not what was written.
        """
        return Receipt.read(self.folder(key))

    def open(self, key: str) -> Path:
        """The folder of a finished stage, its files checked once against their digests.

        Raises:
            DamagedStageError: a file is missing or differs from what was written.
        """
        folder = self.folder(key)
        # Weights are large and a run opens them for every task: one check a process is enough.
        if key not in self._verified:
            self.receipt(key).check(folder)
            # What a power cut left between the receipt and the end of `commit`.
            shutil.rmtree(folder / SCRATCH, ignore_errors=True)
            self._verified.add(key)
        return folder

    def set_aside(self, key: str) -> Path | None:
        """Move a damaged stage to where it is in nobody's way, and tell where.

        None if it is sound, or another process holds it.

        Raises:
            StageError: it cannot be moved.
        """
        with self.claim(key) as folder:
            if folder is None:
                return None
            self._verified.discard(key)
            try:
                self.open(key)
            except DamagedStageError as error:
                return self._move_aside(folder, error)
        return None

    def _move_aside(self, folder: Path, error: DamagedStageError) -> Path:
        attic = self._folder / DAMAGED
        try:
            make_folder(attic)
            names = (f"{folder.name}-{number}" for number in count(1))
            target = next(attic / name for name in names if not (attic / name).exists())
            move(folder, target)
        except OSError as problem:
            raise StageError(
                f"{error.what}, and it cannot be moved aside: {reason_of(problem)}",
                where=error.where,
                hint=f"delete {folder} and run again",
            ) from None
        return target

    @contextmanager
    def claim(self, key: str) -> Iterator[Path | None]:
        """Hold the stage's folder alone; None where another process holds it."""
        folder = self.folder(key)
        make_folder(folder)
        # Beside the folder, not in it: a receipt lists all files inside.
        lock = FileLock(folder.with_suffix(".lock"))
        try:
            # Tried without waiting first, so that only a real wait is told to the user.
            lock.acquire(timeout=0)
        except Timeout:
            yield None
            return
        except (NotImplementedError, OSError) as error:
            raise _no_lock(folder, error) from None
        try:
            yield folder
        finally:
            lock.release()

    def commit(self, key: str, facts: Mapping[str, Any]) -> Receipt:
        """Declare the stage finished: digests of all its files, then the receipt, atomically.

        What an interrupted attempt would go on from is removed when the receipt is safe.
        """
        folder = self.folder(key)
        # Before the digests are taken: what a receipt lists must never disappear later.
        for leftover in (folder / FAILURE, *folder.rglob("*.partial")):
            leftover.unlink(missing_ok=True)
        receipt = Receipt.write(folder, facts)
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)
        self._verified.add(key)
        return receipt
