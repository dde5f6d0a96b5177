"""Folders that appear whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from itertools import permutations
from pathlib import Path
from tempfile import mkdtemp

from xharness.errors import ConfigurationError
from xharness.files import make_durable, make_folder, move, writing
from xharness.submission.exporting import ExportedFiles
from xharness.submission.formats import format_of


def save(exported: Iterable[ExportedFiles], predictions: Path, labels: Path | None) -> None:
    """Write the folder of predictions and, where it is wanted, that of labels.

    Raises:
        ConfigurationError: a folder that holds something already, or cannot be written.
    """
    folders: dict[Path, dict[Path, str]] = {predictions: {}}
    if labels is not None:
        folders[labels] = {}
    for files in exported:
        path = files.task.file(Path(), files.row.language, format_of(files.task).ending)
        folders[predictions][path] = files.texts.predictions
        if labels is not None:
            folders[labels][path] = files.texts.labels
    _write(folders)


def check_free(*folders: Path | None) -> None:
    """Refuse folders that would be written over, or into each other.

    Raises:
        ConfigurationError: what is in the way.
    """
    resolved = [folder.resolve() for folder in folders if folder is not None]
    for folder, other_folder in permutations(resolved, 2):
        if folder == other_folder or folder in other_folder.parents:
            raise ConfigurationError("predictions and labels need a folder each", where=str(folder))
    for folder in resolved:
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            hint = "name another folder: nothing is written over"
            raise ConfigurationError("something is here already", where=str(folder), hint=hint)


def _write(folders: Mapping[Path, Mapping[Path, str]]) -> None:
    """Write each folder beside its place first, then put all of them there."""
    holders: dict[Path, Path] = {}
    try:
        with writing():
            for folder, files in folders.items():
                target = folder.resolve()
                make_folder(target.parent)
                # Not the folder itself: what `mkdtemp` makes, only its owner may read.
                holders[target] = Path(mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
                _fill(holders[target] / target.name, files)
                make_durable(holders[target] / target.name)
            # Only renames from here on: they can fail, but hardly half-way.
            for target, holder in holders.items():
                _put_in_place(holder / target.name, target)
    finally:
        for holder in holders.values():
            shutil.rmtree(holder, ignore_errors=True)


def _fill(folder: Path, files: Mapping[Path, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def _put_in_place(source: Path, target: Path) -> None:
    """Give a folder its place; an empty one that is there stays: somebody may stand in it."""
    if not target.is_dir():
        move(source, target)
        return
    for path in source.iterdir():
        move(path, target / path.name)
