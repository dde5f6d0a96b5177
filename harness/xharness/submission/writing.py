"""Folders that appear whole, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from itertools import permutations
from pathlib import Path
from tempfile import mkdtemp

from xharness.errors import ConfigurationError
from xharness.submission.exporting import Exported
from xharness.submission.formats import format_of


def save(exported: Iterable[Exported], predictions: Path, labels: Path | None) -> None:
    """Write the folder of predictions and, where it is wanted, that of labels.

    Raises:
        ConfigurationError: a folder that holds something already, or cannot be written.
    """
    folders: dict[Path, dict[Path, str]] = {predictions: {}}
    if labels is not None:
        folders[labels] = {}
    for one in exported:
        file = one.task.file(Path(), one.row.language, format_of(one.task).ending)
        folders[predictions][file] = one.written.predictions
        if labels is not None:
            folders[labels][file] = one.written.labels
    _write(folders)


def check_free(*folders: Path | None) -> None:
    """Refuse folders that would be written over, or into each other.

    Raises:
        ConfigurationError: what is in the way.
    """
    wanted = [folder.resolve() for folder in folders if folder is not None]
    for one, other in permutations(wanted, 2):
        if one == other or one in other.parents:
            raise ConfigurationError("predictions and labels need a folder each", where=str(one))
    for folder in wanted:
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            hint = "name another folder: nothing is written over"
            raise ConfigurationError("something is here already", where=str(folder), hint=hint)


def _write(folders: Mapping[Path, Mapping[Path, str]]) -> None:
    """Write each folder beside its place first, then put all of them there."""
    beside: dict[Path, Path] = {}
    try:
        for folder, files in folders.items():
            place = folder.resolve()
            place.parent.mkdir(parents=True, exist_ok=True)
            beside[place] = Path(mkdtemp(dir=place.parent, prefix=f".{place.name}-"))
            _fill(beside[place] / place.name, files)
        for place, holder in beside.items():
            _put(holder / place.name, place)
    except OSError as error:
        where, reason = str(error.filename or ""), error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=where) from None
    finally:
        for holder in beside.values():
            shutil.rmtree(holder, ignore_errors=True)


def _fill(folder: Path, files: Mapping[Path, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def _put(written: Path, place: Path) -> None:
    """Give a folder its place; an empty one that is there stays: somebody may stand in it."""
    if not place.is_dir():
        written.rename(place)
        return
    for one in written.iterdir():
        one.rename(place / one.name)
