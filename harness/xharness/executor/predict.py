"""Predictions: a file for each language, saved shard by shard, each item exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.data.counts import RowCount, expected_rows
from xharness.errors import NoRowsError, StageError
from xharness.executor.ask_model import ask_model, checked
from xharness.executor.context import ProgressCounter, RunContext
from xharness.executor.language_batches import LanguageBatch, language_batches, split, total
from xharness.executor.search import SearchPredictions
from xharness.executor.select_model import notes
from xharness.executor.translate import load
from xharness.plugin.api import Example, Prediction, Sizes, TaskCard, TaskType
from xharness.stages import DataSlice, Predict
from xharness.store import SCRATCH
from xharness.store.tables import read_table, write_table

if TYPE_CHECKING:
    import pyarrow as pa


def predict(stage: Predict, work: RunContext, folder: Path) -> Mapping[str, Any]:
    """Answer every item of every language under `folder`/predictions/<language>.parquet."""
    (folder / "predictions").mkdir(exist_ok=True)
    done = ProgressCounter(
        work.progress(stage, "items"), expected_rows(stage.all_data_slices, work.catalogue)
    )
    together = SearchPredictions(stage, work, folder / SCRATCH, done)
    counts: list[RowCount] = []
    empty: dict[str, str] = {}
    alone = _kind(stage, work).answered_by_search
    parts = _parts(stage, work, counts, empty)
    for stream in language_batches(parts, 1 if alone else work.runtime.shard):
        _answer(stage, work, stream, folder, together, done)
    if not counts:
        raise NoRowsError("; ".join(empty.values()))
    return {
        "empty": empty,
        "trained_on": work.learnt_from(stage.model),
        "notes": [*notes(stage.model, stage.data_slices, work)],
        "stage": "predict",
        "items": sum(count.used for count in counts),
        "sizes": asdict(_sizes(stage, work)),
        "data": [asdict(count) for count in (*counts, *together.counts())],
    }


def _parts(
    stage: Predict, work: RunContext, counts: list[RowCount], empty: dict[str, str]
) -> Iterator[LanguageBatch]:
    """Each language that has items; all are noted in `counts` or `empty`."""
    card = work.data.card(stage.card)
    for portion in stage.data_slices:
        try:
            loaded = load(portion, work)
        except NoRowsError as error:
            empty[portion.language] = error.reason
            continue
        counts.append(loaded.count)
        asked = card if stage.prompt_digest is None else card.in_language(portion.text_language)
        yield LanguageBatch(portion, asked, loaded.examples)


def _kind(stage: Predict, work: RunContext) -> TaskType:
    return work.catalogue.task_types[work.catalogue.card(stage.card).task_type]


def _answer(
    stage: Predict,
    work: RunContext,
    stream: Sequence[LanguageBatch],
    folder: Path,
    together: SearchPredictions,
    done: ProgressCounter,
) -> None:
    """Write the predictions of a stream's languages, unless they are all there."""
    paths = [folder / "predictions" / f"{one.data_slice.language}.parquet" for one in stream]
    if all(path.is_file() for path in paths):
        done.add(total(stream))
        return
    scratch = folder / SCRATCH / stream[0].data_slice.language
    scratch.mkdir(parents=True, exist_ok=True)
    kind = _kind(stage, work)
    if kind.answered_by_search:
        (part,) = stream
        given = checked(
            together.answer(kind, part.data_slice, part.examples), part.card, part.examples
        )
        table = _table(part.card, kind, part.examples, given)
        done.add(total(stream))
    else:
        table = _in_shards(stage, work, stream, scratch, done)
    for path, (part, own) in zip(paths, split(table, stream), strict=True):
        _check(part.data_slice, part.examples, own.column("item").to_pylist())
        write_table(path, own)
    shutil.rmtree(scratch)


def _in_shards(
    stage: Predict,
    work: RunContext,
    stream: Sequence[LanguageBatch],
    scratch: Path,
    done: ProgressCounter,
) -> pa.Table:
    """The answers, shard by shard, continuing after the shards that are already there."""
    import pyarrow as pa

    size, card, kind = work.runtime.shard, stream[0].card, _kind(stage, work)
    examples = [one for part in stream for one in part.examples]
    shards = []
    for first in range(0, len(examples), size):
        shard = scratch / f"{first:09d}-{size}.parquet"
        shards.append(shard)
        some = examples[first : first + size]
        if not shard.is_file():
            given = ask_model(work.model(stage.model), card, kind, some, stage.recipe)
            write_table(shard, _table(card, kind, some, given))
        done.add(len(some))
    return pa.concat_tables([read_table(shard) for shard in shards])


def _table(
    card: TaskCard, kind: TaskType, examples: Sequence[Example], given: Sequence[Prediction]
) -> pa.Table:
    """Columns: item, prediction; an answer of the wrong shape is an error."""
    import pyarrow as pa

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


def _check(portion: DataSlice, examples: Sequence[Example], items: Sequence[str]) -> None:
    if [example.id for example in examples] != list(items):
        raise StageError(
            f"stored predictions of {portion.card} {portion.language} are not for these items",
            hint="delete the stage's folder and run again",
        )


def _sizes(stage: Predict, work: RunContext) -> Sizes:
    return work.model(stage.model).sizes()
