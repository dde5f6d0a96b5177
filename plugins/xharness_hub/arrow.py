"""Rows through the `datasets` library: memory-mapped, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from xharness import Row, UnavailableError
from xharness_hub.clones import Clone

_BATCH = 1000  # rows turned into Python objects together


def rows(clone: Clone, config: str | None, split: str) -> Iterator[Row]:
    """The rows of a split, as plain dictionaries; classes are their numbers.

    Raises:
        UnavailableError: the files cannot be read, or hold no row.
    """
    datasets = _library()
    declared = clone.patterns(config, split) is not None
    paths = clone.files(config, split)
    try:
        if declared and all(path.suffix == ".parquet" for path in paths):
            table = _parquet(datasets, paths, split)
        else:
            names = {split: [clone.relative(path) for path in paths]} if declared else None
            table = datasets.load_dataset(
                str(clone.folder),
                config,
                data_files=names,
                split=split,
                verification_mode="no_checks",
            )
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = (str(error.__cause__ or error).splitlines() or [repr(error)])[0]
        raise UnavailableError(
            f"split '{split}' of data set '{clone.id}' cannot be read: {reason}",
            where=str(clone.folder),
        ) from error
    # A split without rows would give a score over nothing.
    if not table:
        raise UnavailableError(
            f"split '{split}' of data set '{clone.id}' is empty", where=str(clone.folder)
        )
    return _stream(table)


def _stream(table: Any) -> Iterator[Row]:
    for batch in table.with_format("arrow").iter(_BATCH):
        yield from batch.to_pylist()


def _parquet(datasets: Any, paths: Sequence[Path], split: str) -> Any:
    """The table in files that describe themselves; None where they hold no row.

    Going through the README instead would parse it once more for each language: a second each
    where it declares hundreds of configs.
    """
    from pyarrow.parquet import read_metadata

    if not sum(read_metadata(path).num_rows for path in paths):
        return None  # `datasets` fails on these without saying why
    files = {split: [str(path) for path in paths]}
    return datasets.load_dataset("parquet", data_files=files, split=split)


def _library() -> Any:
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False  # reading a local file is nobody's business
    return datasets
