"""Scores: per-item statistics of stored predictions, and the values their sums give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xharness.errors import StageError
from xharness.executor.context import RunContext
from xharness.files import write_json
from xharness.plugin.api import Example, Metric, Prediction, TaskCard
from xharness.stages import DataSlice, ScorePredictions
from xharness.store.tables import read_table, write_table

TOLD_AGAIN = ("sizes", "data", "trained_on", "notes", "empty")
"""Facts of the predictions that a score keeps: the predictions' folder may be deleted later."""


def score(stage: ScorePredictions, work: RunContext, folder: Path) -> Mapping[str, Any]:
    """Write `folder`/scores.json and statistics/<language>.parquet."""
    predictions = work.store.open(stage.predictions.key) / "predictions"
    (folder / "statistics").mkdir(exist_ok=True)
    tell = work.progress(stage, "languages")
    values: dict[str, Any] = {}
    made_with = work.store.receipt(stage.predictions.key).facts
    portions = answered(stage, made_with)
    for done, portion in enumerate(portions, 1):
        values[portion.language] = _language(stage, work, portion, predictions, folder)
        tell(done, len(portions))
    write_json(folder / "scores.json", values)
    return {
        "stage": "score",
        "languages": len(values),
        "predictions": stage.predictions.key,
        **{name: made_with[name] for name in TOLD_AGAIN},
    }


def answered(stage: ScorePredictions, facts: Mapping[str, Any]) -> list[DataSlice]:
    """The languages that have items, given the facts of a receipt; `empty` tells of the others."""
    return [one for one in stage.predictions.data_slices if one.language not in facts["empty"]]


def _language(
    stage: ScorePredictions, work: RunContext, portion: DataSlice, predictions: Path, folder: Path
) -> dict[str, Any]:
    """Score one language: metric → value in [0, 1], and the number of items."""
    import pyarrow as pa

    card = work.data.card(stage.predictions.card)
    kind = work.catalogue.task_types[card.task_type]
    examples = work.data.load(portion).examples
    stored = read_table(predictions / f"{portion.language}.parquet")
    if stored.column("item").to_pylist() != [example.id for example in examples]:
        raise StageError(f"predictions of {portion.card} {portion.language} are for other items")
    given = stored.column("prediction").to_pylist()
    columns: dict[str, Any] = {"item": stored.column("item")}
    values: dict[str, float] = {}
    for name in stage.metrics:
        metric = kind.metrics[name]
        statistics = item_statistics(metric, examples, given, card, portion.language)
        values[name] = value(metric, statistics)
        for place, statistic in enumerate(metric.statistics):
            columns[f"{name}.{statistic}"] = statistics[:, place]
    write_table(folder / "statistics" / f"{portion.language}.parquet", pa.table(columns))
    return {"values": values, "n": len(examples)}


def item_statistics(
    metric: Metric,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    card: TaskCard,
    language: str,
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Per-item statistics, shape (items, statistics)."""
    rows = [
        metric.item(example, prediction, card, language)
        for example, prediction in zip(examples, predictions, strict=True)
    ]
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), len(metric.statistics))


def value(metric: Metric, statistics: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """The score in [0, 1] that per-item statistics, shape (items, statistics), give."""
    return float(metric.value(statistics.sum(axis=0)))
