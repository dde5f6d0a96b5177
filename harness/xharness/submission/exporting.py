"""A run's stored predictions in the official layout, and the labels they were scored against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness.catalogue import Catalogue
from xharness.data import Data
from xharness.errors import StageError, UnavailableError
from xharness.executor.tables import read_table
from xharness.extend import Example, Prediction
from xharness.scores import Score
from xharness.store import Store
from xharness.submission.benchmarks import benchmark
from xharness.submission.formats import Answered, Written, format_of
from xharness.submission.layout import Task
from xharness.submission.picking import Choice, pick
from xharness.submission.scoring import points_of
from xharness.suites import Benchmark


@dataclass(frozen=True)
class Place:
    """Where what is exported comes from."""

    catalogue: Catalogue
    data: Data
    store: Store


@dataclass(frozen=True)
class Exported:
    """One task in one language, ready to be written."""

    task: Task
    row: Score
    written: Written


def export(
    scores: Path, suite: str, choice: Choice, place: Place
) -> tuple[Benchmark, list[Exported]]:
    """What the suite asks for and the run with these scores has, in the suite's order.

    Raises:
        ConfigurationError: an unknown name, several arms to choose from, or nothing to export.
        UnavailableError: the data cannot be had, or is not what was scored.
        StageError: stored files are missing or damaged.
    """
    found, tasks = benchmark(place.catalogue, suite)
    rows = pick(scores, choice, found)
    return found, [_exported(tasks[row.task], row, place) for row in rows]


def _exported(task: Task, row: Score, place: Place) -> Exported:
    """The row's predictions, which must give the row's number again."""
    stage = row.stage or ""
    if not place.store.has(stage):
        raise StageError(
            f"the score of {row.task} is not stored here",
            where=str(place.store.folder(stage)),
            hint="name the run's store with --store",
        )
    facts = place.store.receipt(stage).facts
    examples, given = _examples(row, facts, place), _predictions(row, facts, place)
    if [one.id for one in examples] != [*given]:
        raise _other_data(row)
    answered = Answered(examples, [*given.values()])
    metric = place.catalogue.kinds[task.card.kind].metrics[row.metric]
    if points_of(metric, answered, task.card, row.language) != row.value:
        raise _other_data(row)
    return Exported(task, row, format_of(task).write(answered, task))


def _examples(row: Score, facts: Mapping[str, Any], place: Place) -> Sequence[Example]:
    """The items that were scored, read again."""
    counts = (one for one in facts["data"] if one["card"] == row.task)
    count = next(one for one in counts if one["language"] == row.language)
    limit = count["used"] if count["used"] < count["rows"] else None
    card = place.catalogue.card(row.task)
    return place.data.load(place.data.portion(card, row.language, count["split"], limit)).examples


def _predictions(row: Score, facts: Mapping[str, Any], place: Place) -> dict[str, Prediction]:
    """Item to stored prediction, in the stored order."""
    key = facts.get("predictions", "")
    if not place.store.has(key):
        folder = place.store.folder(row.stage or "")
        raise StageError(
            f"the predictions that the score of {row.task} was made from are gone",
            where=str(folder),
            hint=f"delete {folder} and run again",
        )
    table = read_table(place.store.open(key) / "predictions" / f"{row.language}.parquet")
    items, given = (table.column(name).to_pylist() for name in ("item", "prediction"))
    return dict(zip(items, given, strict=True))


def _other_data(row: Score) -> UnavailableError:
    return UnavailableError(
        f"the data at hand is not what was answered in {row.task} {row.language}",
        hint="give the --data-root and the --cards that the run had",
    )
