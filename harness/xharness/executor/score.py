"""Scores: per-item statistics of stored predictions, and the values their sums give."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.data.examples import RereadExamples
from xharness.errors import StageError
from xharness.executor.budgets import trainings
from xharness.executor.context import RunContext
from xharness.files import make_folder, write_json
from xharness.stages import DataSlice, Score
from xharness.store import PREDICTIONS
from xharness.store.tables import read_rows, read_table, write_table
from xharness.task_types.base import Example, Prediction
from xharness.task_types.scoring import all_statistics, commonest, floor, value

if TYPE_CHECKING:
    import pyarrow as pa

VALUES, STATISTICS = "scores.json", "statistics"
"""File with the values by language and metric, and folder with a table a language: what each item
adds to the sums that the values come from."""
KEPT_FACTS = ("sizes", "data", "trained_on", "trainings", "notes", "empty")
"""Facts of the predictions that a score keeps: the predictions' folder may be deleted later."""


def score(stage: Score, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Write `folder`/scores.json and statistics/<language>.parquet."""
    predictions = context.store.open(stage.predictions.key) / PREDICTIONS
    make_folder(folder / STATISTICS)
    report = context.progress(stage, "languages")
    values: dict[str, Any] = {}
    prediction_facts = context.store.receipt(stage.predictions.key).facts
    if "trainings" not in prediction_facts:  # of a store whose predictions did not tell them yet
        prediction_facts = {
            **prediction_facts,
            "trainings": trainings(stage.predictions.model, context),
        }
    data_slices = answered_slices(stage, prediction_facts)
    for completed, data_slice in enumerate(data_slices, 1):
        values[data_slice.language] = _language(stage, context, data_slice, predictions, folder)
        report(completed, len(data_slices))
    write_json(folder / VALUES, values)
    return {
        "languages": len(values),
        "predictions": stage.predictions.key,
        **{name: prediction_facts[name] for name in KEPT_FACTS},
    }


def answered_slices(stage: Score, facts: Mapping[str, Any]) -> list[DataSlice]:
    """The languages that have items, given the facts of a receipt; `empty` tells of the others."""
    return [
        data_slice
        for data_slice in stage.predictions.data_slices
        if data_slice.language not in facts["empty"]
    ]


def _language(
    stage: Score,
    context: RunContext,
    data_slice: DataSlice,
    predictions: Path,
    folder: Path,
) -> dict[str, Any]:
    """Score one language: metric → value in [0, 1], the number of items, and the main metric's
    chance floor and the commonest answer."""
    import pyarrow as pa

    card = context.data.card(stage.predictions.card)
    task_type = context.catalogue.task_types[card.task_type]
    metrics = [task_type.metrics[name] for name in stage.metrics]
    examples = RereadExamples(lambda: context.data.stream(data_slice))
    answers = StoredAnswers(predictions / f"{data_slice.language}.parquet")
    pairs = _pairs(data_slice, examples, answers)
    statistics = all_statistics(metrics, pairs, card, data_slice.language)
    values = map(value, metrics, statistics)
    columns: dict[str, Any] = {"item": answers.items()}
    for name, metric, rows in zip(stage.metrics, metrics, statistics, strict=True):
        for index, statistic in enumerate(metric.statistics):
            columns[f"{name}.{statistic}"] = rows[:, index]
    # Kept per item, because intervals and paired tests need more than the sums.
    write_table(folder / STATISTICS / f"{data_slice.language}.parquet", pa.table(columns))
    facts: dict[str, Any] = {"values": dict(zip(stage.metrics, values, strict=True))}
    facts["n"] = len(examples)
    facts["floor"] = floor(task_type, metrics[0], examples, card, data_slice.language)
    constant = commonest(task_type, answers, card)
    if constant is not None:
        facts["constant_answer"], facts["constant_share"] = constant
    return facts


class StoredAnswers(Collection[Prediction]):
    """The predictions in a file, for several passes; a few are held at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> Iterator[tuple[str, Prediction]]:
        """The id of each item with its prediction."""
        return read_rows(self._path, ["item", "prediction"])

    def items(self) -> pa.ChunkedArray:
        """The ids of all items."""
        return read_table(self._path, ["item"]).column("item")

    def __iter__(self) -> Iterator[Prediction]:
        return (prediction for _, prediction in self.rows())

    def __len__(self) -> int:
        return len(self.items())

    def __contains__(self, prediction: object) -> bool:
        return any(prediction == candidate for candidate in self)


def _pairs(
    data_slice: DataSlice, examples: Iterable[Example], answers: StoredAnswers
) -> Iterator[tuple[Example, Prediction]]:
    """Each example with the prediction in its place.

    Raises:
        StageError: which is one for another item.
    """
    for example, row in zip_longest(examples, answers.rows()):
        if example is None or row is None or example.id != row[0]:
            raise StageError(
                f"predictions of {data_slice.card} {data_slice.language} are for other items"
            )
        yield example, row[1]
