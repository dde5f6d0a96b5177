"""Scores: per-item statistics of stored predictions, and the values their sums give."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xharness.errors import StageError
from xharness.executor.budgets import trainings
from xharness.executor.context import RunContext
from xharness.files import make_folder, write_json
from xharness.stages import DataSlice, Score
from xharness.store import PREDICTIONS
from xharness.store.tables import read_table, write_table
from xharness.task_types.scoring import commonest, floor, item_statistics, value

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
    examples = context.data.load(data_slice).examples
    stored = read_table(predictions / f"{data_slice.language}.parquet")
    # Predictions are paired with items by position alone from here on.
    if stored.column("item").to_pylist() != [example.id for example in examples]:
        raise StageError(
            f"predictions of {data_slice.card} {data_slice.language} are for other items"
        )
    predicted = stored.column("prediction").to_pylist()
    columns: dict[str, Any] = {"item": stored.column("item")}
    values: dict[str, float] = {}
    for name in stage.metrics:
        metric = task_type.metrics[name]
        statistics = item_statistics(metric, examples, predicted, card, data_slice.language)
        values[name] = value(metric, statistics)
        for index, statistic in enumerate(metric.statistics):
            columns[f"{name}.{statistic}"] = statistics[:, index]
    # Kept per item, because intervals and paired tests need more than the sums.
    write_table(folder / STATISTICS / f"{data_slice.language}.parquet", pa.table(columns))
    main = task_type.metrics[stage.metrics[0]]
    facts: dict[str, Any] = {"values": values, "n": len(examples)}
    facts["floor"] = floor(task_type, main, examples, card, data_slice.language)
    constant = commonest(task_type, predicted, card)
    if constant is not None:
        facts["constant_answer"], facts["constant_share"] = constant
    return facts
