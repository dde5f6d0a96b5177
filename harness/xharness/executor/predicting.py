"""Predictions: language by language, saved shard by shard, each item exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.data import Count, expected
from xharness.errors import NoRowsError, StageError
from xharness.executor.asking import ask
from xharness.executor.choosing import notes
from xharness.executor.tables import read_table, write_table
from xharness.executor.together import Answering
from xharness.executor.translating import load
from xharness.executor.work import Done, Work
from xharness.extend import Example, Kind, Prediction, Sizes, TaskCard
from xharness.kinds import Together
from xharness.stages import Portion, Predict
from xharness.store import SCRATCH

if TYPE_CHECKING:
    import pyarrow as pa


def predict(stage: Predict, work: Work, folder: Path) -> Mapping[str, Any]:
    """Answer every item of every language under `folder`/predictions/<language>.parquet."""
    (folder / "predictions").mkdir(exist_ok=True)
    unfinished = folder / SCRATCH
    done = Done(work.progress(stage, "items"), expected(stage.all_portions, work.catalogue))
    together = Answering(stage, work, unfinished, done)
    counts: list[Count] = []
    empty: dict[str, str] = {}
    for portion in stage.portions:
        try:
            loaded = load(portion, work)
        except NoRowsError as error:
            empty[portion.language] = error.reason
            continue
        counts.append(loaded.count)
        path = folder / "predictions" / f"{portion.language}.parquet"
        if path.is_file():
            done.add(len(loaded.examples))
        else:
            table = _answers(stage, work, portion, loaded.examples, unfinished, together, done)
            _check(portion, loaded.examples, table.column("item").to_pylist())
            write_table(path, table)
            shutil.rmtree(unfinished / portion.language)
    if not counts:
        raise NoRowsError("; ".join(empty.values()))
    return {
        "empty": empty,
        "trained_on": work.learnt_from(stage.model),
        "notes": [*notes(stage.model, stage.portions, work)],
        "stage": "predict",
        "items": sum(count.used for count in counts),
        "sizes": asdict(_sizes(stage, work)),
        "data": [asdict(count) for count in (*counts, *together.counts())],
    }


def _answers(
    stage: Predict,
    work: Work,
    portion: Portion,
    examples: Sequence[Example],
    unfinished: Path,
    together: Answering,
    done: Done,
) -> pa.Table:
    """The answers to one language's items."""
    card = work.data.card(stage.card)
    kind = work.catalogue.kinds[card.kind]
    scratch = unfinished / portion.language
    scratch.mkdir(parents=True, exist_ok=True)
    if not isinstance(kind, Together):
        return _in_shards(stage, work, card.spoken(_asked_in(portion)), examples, scratch, done)
    table = _table(card, kind, examples, together.answer(kind, portion, examples))
    done.add(len(examples))
    return table


def _asked_in(portion: Portion) -> str:
    return portion.translation.target if portion.translation else portion.language


def _in_shards(
    stage: Predict,
    work: Work,
    card: TaskCard,
    examples: Sequence[Example],
    scratch: Path,
    done: Done,
) -> pa.Table:
    """The answers, shard by shard, continuing after the shards that are already there."""
    import pyarrow as pa

    size = work.runtime.shard
    kind = work.catalogue.kinds[card.kind]
    parts = []
    for first in range(0, len(examples), size):
        part = scratch / f"{first:09d}-{size}.parquet"
        parts.append(part)
        some = examples[first : first + size]
        if not part.is_file():
            given = ask(work.model(stage.model), card, kind, some, stage.recipe)
            write_table(part, _table(card, kind, some, given))
        done.add(len(some))
    return pa.concat_tables([read_table(part) for part in parts])


def _table(
    card: TaskCard, kind: Kind, examples: Sequence[Example], given: Sequence[Prediction]
) -> pa.Table:
    """Columns: item, prediction; an answer of the wrong shape, or a missing one, is an error."""
    import pyarrow as pa

    if len(given) != len(examples):
        raise StageError(f"{len(given)} predictions for {len(examples)} items of '{card.name}'")
    for example, one in zip(examples, given, strict=True):
        if one is None:
            raise StageError(f"no prediction for item '{example.id}' of '{card.name}'")
    ids = pa.list_(pa.string())
    shapes = {
        "int": pa.int32(),
        "ints": pa.list_(pa.int32()),
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "ranking": pa.struct({"ranked": ids, "relevant": ids}),
    }
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
