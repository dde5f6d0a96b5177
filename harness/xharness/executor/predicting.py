"""Predictions: language by language, saved shard by shard, each item exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.data import expected
from xharness.errors import StageError
from xharness.executor.tables import read_table, write_table
from xharness.executor.work import Work
from xharness.extend import Example, Kind, Prediction, Sizes, TaskCard
from xharness.stages import Portion, Predict, Train
from xharness.store import SCRATCH

if TYPE_CHECKING:
    import pyarrow as pa


def predict(stage: Predict, work: Work, folder: Path) -> Mapping[str, Any]:
    """Answer every item of every language under `folder`/predictions/<language>.parquet."""
    (folder / "predictions").mkdir(exist_ok=True)
    counts = []
    items = 0
    total = expected(stage.portions, work.catalogue)
    progress = work.progress(stage, "items")

    def tell(done: int) -> None:
        progress(done, total)

    for portion in stage.portions:
        loaded = work.data.load(portion)
        counts.append(asdict(loaded.count))
        path = folder / "predictions" / f"{portion.language}.parquet"
        if not path.is_file():
            _answer(stage, work, portion, loaded.examples, folder / SCRATCH, path, items, tell)
        items += len(loaded.examples)
        tell(items)
    return {
        "trained_on": _trained_on(stage, work),
        "stage": "predict",
        "items": items,
        "sizes": asdict(_sizes(stage, work)),
        "data": counts,
    }


def _answer(
    stage: Predict,
    work: Work,
    portion: Portion,
    examples: Sequence[Example],
    unfinished: Path,
    path: Path,
    before: int,
    tell: Callable[[int], None],
) -> None:
    """Answer one language, continuing after the shards that are already there."""
    card = work.catalogue.card(stage.card)
    kind = work.catalogue.kinds[card.kind]
    shards = unfinished / portion.language
    shards.mkdir(parents=True, exist_ok=True)
    size = len(examples) if kind.whole else work.runtime.shard
    parts = []
    for first in range(0, len(examples), size):
        part = shards / f"{first:09d}-{size}.parquet"
        parts.append(part)
        if not part.is_file():
            some = examples[first : first + size]
            given = work.model(stage.model).predict(card, kind, some, stage.recipe)
            write_table(part, _table(card, kind, some, given))
        tell(before + min(first + size, len(examples)))
    import pyarrow as pa

    whole = pa.concat_tables([read_table(part) for part in parts])
    _check(portion, examples, whole.column("item").to_pylist())
    write_table(path, whole)
    shutil.rmtree(shards)


def _table(
    card: TaskCard, kind: Kind, examples: Sequence[Example], given: Sequence[Prediction]
) -> pa.Table:
    """Columns: item, prediction; an answer of the wrong shape or a missing one is an error."""
    import pyarrow as pa

    shapes = {"int": pa.int32(), "ints": pa.list_(pa.int32()), "text": pa.string()}
    if len(given) != len(examples):
        raise StageError(f"{len(given)} predictions for {len(examples)} items of '{card.name}'")
    try:
        answers = pa.array(given, shapes[kind.prediction])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StageError(
            f"predictions for '{card.name}' are not {kind.prediction}: {error}"
        ) from None
    return pa.table({"item": pa.array([one.id for one in examples]), "prediction": answers})


def _check(portion: Portion, examples: Sequence[Example], items: Sequence[str]) -> None:
    if [example.id for example in examples] != list(items):
        raise StageError(
            f"stored predictions of {portion.card} {portion.language} are not for these items",
            hint="delete the stage's folder and run again",
        )


def _sizes(stage: Predict, work: Work) -> Sizes:
    return work.model(stage.model).sizes()


def _trained_on(stage: Predict, work: Work) -> Any:
    """What the model learnt from, told here too: a trained model's folder may be deleted later."""
    model = stage.model
    return work.store.receipt(model.key).facts["data"] if isinstance(model, Train) else []
