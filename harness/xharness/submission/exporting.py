"""A run's stored predictions in the official layout, and the labels they were scored against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness.data.reader import DataReader
from xharness.errors import StageError, UnavailableError
from xharness.gaps.scores import ScoreRow
from xharness.gaps.suites import Benchmark
from xharness.plugin.api import Example, Prediction
from xharness.plugin.catalogue import Catalogue
from xharness.store import PREDICTIONS, Store
from xharness.store.tables import read_table
from xharness.submission.arm_choice import ArmChoice, select_rows
from xharness.submission.benchmarks import load_benchmark
from xharness.submission.formats import AnsweredItems, FileTexts, format_of
from xharness.submission.layout import SuiteTask
from xharness.submission.scoring import points_of


@dataclass(frozen=True)
class ExportSource:
    """Where what is exported comes from."""

    catalogue: Catalogue
    data: DataReader
    store: Store


@dataclass(frozen=True)
class ExportedFiles:
    """One task in one language, ready to be written."""

    task: SuiteTask
    row: ScoreRow
    texts: FileTexts


def export(
    scores: Path, suite: str, arm: ArmChoice, source: ExportSource
) -> tuple[Benchmark, list[ExportedFiles]]:
    """What the suite asks for and the run with these scores has, in the suite's order.

    Raises:
        ConfigurationError: an unknown name, several arms to choose from, or nothing to export.
        UnavailableError: the data cannot be had, or is not what was scored.
        StageError: stored files are missing or damaged.
    """
    benchmark, tasks = load_benchmark(source.catalogue, suite)
    rows = select_rows(scores, arm, benchmark)
    return benchmark, [_exported(tasks[row.task], row, source) for row in rows]


def _exported(task: SuiteTask, row: ScoreRow, source: ExportSource) -> ExportedFiles:
    """The row's predictions, which must give the row's number again."""
    stage = row.stage or ""
    # The scores may have come from another machine, without its store.
    if not source.store.has(stage):
        raise StageError(
            f"the score of {row.task} is not stored here",
            where=str(source.store.folder(stage)),
            hint="name the run's store with --store",
        )
    facts = source.store.receipt(stage).facts
    examples, predictions = _examples(row, facts, source), _predictions(row, facts, source)
    # Order matters as well: predictions are written line by line without ids.
    if [example.id for example in examples] != [*predictions]:
        raise _other_data(row)
    answered_items = AnsweredItems(examples, [*predictions.values()])
    # Items can be the same and their answers not: data were mended since, or the card was.
    metric = source.catalogue.task_types[task.card.task_type].metrics[row.metric]
    if points_of(metric, answered_items, task.card, row.language) != row.value:
        raise _other_data(row)
    return ExportedFiles(task, row, format_of(task).write(answered_items, task))


def _examples(row: ScoreRow, facts: Mapping[str, Any], source: ExportSource) -> Sequence[Example]:
    """The items that were scored, read again."""
    counts = (count for count in facts["data"] if count["card"] == row.task)
    count = next(count for count in counts if count["language"] == row.language)
    # A limited run answered the first items; the same limit reads the same ones again.
    limit = count["used"] if count["used"] < count["rows"] else None
    card = source.catalogue.card(row.task)
    return source.data.load(
        source.data.data_slice(card, row.language, count["split"], limit)
    ).examples


def _predictions(
    row: ScoreRow, facts: Mapping[str, Any], source: ExportSource
) -> dict[str, Prediction]:
    """Item to stored prediction, in the stored order."""
    key = facts.get("predictions", "")
    if not source.store.has(key):
        folder = source.store.folder(row.stage or "")
        raise StageError(
            f"the predictions that the score of {row.task} was made from are gone",
            where=str(folder),
            hint=f"delete {folder} and run again",
        )
    table = read_table(source.store.open(key) / PREDICTIONS / f"{row.language}.parquet")
    items, values = (table.column(name).to_pylist() for name in ("item", "prediction"))
    return dict(zip(items, values, strict=True))


def _other_data(row: ScoreRow) -> UnavailableError:
    return UnavailableError(
        f"the data at hand is not what was answered in {row.task} {row.language}",
        hint="give the --data-root and the --cards that the run had",
    )
