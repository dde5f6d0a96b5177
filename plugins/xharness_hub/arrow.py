"""Rows of a clone's files: of Parquet directly, of others through the `datasets` library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from xharness import Row, UnavailableError
from xharness_hub import parquet
from xharness_hub.clones import Clone
from xharness_hub.unpacking import check_packed

_BATCH = 1000  # rows turned into Python objects together
T = TypeVar("T")


def rows(clone: Clone, config: str | None, split: str) -> Iterator[Row]:
    """The rows of a split, as plain dictionaries; classes are their numbers.

    Raises:
        UnavailableError: the files cannot be read, or hold no row.
    """
    declared = clone.patterns(config, split) is not None
    paths = clone.files(config, split)
    if not declared and _are_parquet(clone, paths):
        paths = _guarded(lambda: _files_of_split(clone, config, split), clone, split)
        declared = True
    if declared and all(path.suffix == ".parquet" for path in paths):
        count = _guarded(lambda: parquet.count(paths), clone, split)
        batches = parquet.read(paths)
    else:
        table = _guarded(lambda: _table(clone, paths, config, split, declared), clone, split)
        count, batches = len(table), _stream(table)
    # A split without rows would give a score over nothing.
    if not count:
        raise UnavailableError(
            f"split '{split}' of data set '{clone.id}' is empty", where=str(clone.folder)
        )
    return _guarded_rows(batches, clone, split)


def _are_parquet(clone: Clone, paths: Sequence[Path]) -> bool:
    """Whether the data of a clone that declares nothing is Parquet, and nothing else."""
    suffixes = {path.suffix for path in paths if path.parent != clone.folder or _is_data(path)}
    return suffixes == {".parquet"}


def _is_data(path: Path) -> bool:
    """Not one of the files about a data set that lie beside its own."""
    return path.suffix not in (".md", "") and path.name != "dataset_infos.json"


def _files_of_split(clone: Clone, config: str | None, split: str) -> list[Path]:
    """The files of a clone that declares nothing: the hub tells splits by the files' names."""
    from datasets.data_files import get_data_patterns, resolve_pattern

    part = clone.folder / (config or "")
    folder = str(part if part.is_dir() else clone.folder)
    patterns = {str(name): names for name, names in get_data_patterns(folder).items()}
    if split not in patterns:
        raise ValueError(f"there is no such split; it has: {', '.join(patterns)}")
    matches: dict[str, None] = {}
    for pattern in patterns[split]:
        with suppress(FileNotFoundError):  # some of the names that such files may have
            matches |= dict.fromkeys(resolve_pattern(pattern, folder))
    return [path for path in map(Path, matches) if path.suffix == ".parquet"]


def _table(
    clone: Clone, paths: Sequence[Path], config: str | None, split: str, declared: bool
) -> Any:
    for path in paths:
        check_packed(path)
    names = {split: [clone.relative(path) for path in paths]} if declared else None
    return _library().load_dataset(
        str(clone.folder), config, data_files=names, split=split, verification_mode="no_checks"
    )


def _stream(table: Any) -> Iterator[Row]:
    for batch in table.with_format("arrow").iter(_BATCH):
        yield from batch.to_pylist()


def _guarded(read: Callable[[], T], clone: Clone, split: str) -> T:
    """What `read` gives; whatever it raises is said of the split."""
    try:
        return read()
    except Exception as error:  # libraries fail on a stranger's bytes in classes of many packages
        raise _unreadable(error, clone, split) from error


def _guarded_rows(rows: Iterator[Row], clone: Clone, split: str) -> Iterator[Row]:
    try:
        yield from rows
    except Exception as error:
        raise _unreadable(error, clone, split) from error


def _unreadable(error: Exception, clone: Clone, split: str) -> UnavailableError:
    lines = str(error.__cause__ or error).strip().splitlines()
    return UnavailableError(
        f"split '{split}' of data set '{clone.id}' cannot be read: "
        f"{lines[0] if lines else repr(error)}",
        where=str(clone.folder),
    )


def _library() -> Any:
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # reading a local file is nobody's business
    return datasets
