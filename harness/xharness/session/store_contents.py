"""What lies in a store: stages finished, unfinished, without their weights; and how much of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xharness.errors import ConfigurationError, StageError
from xharness.stages.label import StageLabel
from xharness.store import MODEL, RECEIPT, SCRATCH, WITHOUT_WEIGHTS, Receipt, Store

StoredState = Literal["finished", "without weights", "unfinished"]


@dataclass(frozen=True)
class StoredStage:
    """A folder of the store."""

    key: str
    state: StoredState
    label: str
    """Empty where no receipt tells it."""
    bytes: int
    """On disk; of a file with several names, its part of them."""


def contents(root: Path) -> Iterator[StoredStage]:
    """Every stage that has a folder."""
    for folder in _folders(root):
        state: StoredState = "unfinished"
        if (folder / RECEIPT).is_file():
            state = "finished"
        elif (folder / WITHOUT_WEIGHTS).is_file():
            state = "without weights"
        yield StoredStage(folder.name, state, _label(folder), _bytes(folder))


def readable_receipts(root: Path) -> Iterator[Receipt]:
    """The receipts of all stages that were ever finished; a run will name the damaged ones."""
    for folder in _folders(root):
        with suppress(StageError):
            yield Receipt.read(folder)


def damages(root: Path) -> Iterator[tuple[str, str]]:
    """Keys of finished stages with a file that is missing or differs, and what is wrong."""
    for folder in _folders(root):
        if (folder / RECEIPT).is_file():
            try:
                Receipt.read(folder).check(folder)
            except StageError as error:
                yield folder.name, error.reason


def pruned(root: Path, *, weights: bool, dry_run: bool) -> int:
    """Remove what is left of unfinished stages, and with `weights` all models; the bytes freed."""
    store, freed = Store(root), 0
    # Listed before: folders vanish while it goes on.
    for entry in list(contents(root)):
        folder = store.folder(entry.key)
        with store.claim(entry.key) as claimed:
            if claimed is None:  # a process works on it
                continue
            # A finished one has some too if its process ended between receipt and clean-up.
            leftovers = [folder] if entry.state == "unfinished" else [folder / SCRATCH]
            freed += sum(_bytes(path) for path in leftovers)
            for path in leftovers if not dry_run else ():
                shutil.rmtree(path, ignore_errors=True)
        if weights and entry.state == "finished" and (folder / MODEL).is_dir():
            freed += _bytes(folder / MODEL)
            if not dry_run:
                store.remove_weights(entry.key)
    return freed


def moved(root: Path, target: Path) -> int:
    """Move all of a store into a folder that is not there yet; the number of its stages.

    Raises:
        ConfigurationError: there is no such store, or the target is there.
    """
    if not root.is_dir():
        raise ConfigurationError("there is no store", where=str(root))
    if target.exists():
        raise ConfigurationError("there is something already", where=str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(root, target)
    return sum(1 for _ in _folders(target))


def _folders(root: Path) -> Iterator[Path]:
    # Two letters are a store's own folders; locks beside the stages are files.
    yield from (path for path in sorted(root.glob("??/*")) if path.is_dir())


def _label(folder: Path) -> str:
    with suppress(StageError, KeyError, TypeError):
        return str(StageLabel(**Receipt.read(folder).facts["label"]))
    return ""


def _bytes(folder: Path) -> int:
    """What the files take; one with several names, as a body beside adapters, counts in parts."""
    states = (path.stat() for path in folder.rglob("*") if path.is_file())
    return sum(state.st_size // state.st_nlink for state in states)
