"""Predict: a file for each language, saved shard by shard, each item exactly once."""

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
from xharness.executor.language_batches import (
    LanguageItems,
    by_language,
    item_count,
    language_batches,
)
from xharness.executor.search import SearchPredictions
from xharness.executor.select_model import selection_notes
from xharness.executor.translate import load
from xharness.plugin.api import Example, Prediction, TaskCard, TaskType
from xharness.stages import Checkpoint, DataSlice, Predict, SelectModel, Train
from xharness.store import SCRATCH
from xharness.store.tables import read_table, write_table

if TYPE_CHECKING:
    import pyarrow as pa


def predict(stage: Predict, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Answer every item of every language under `folder`/predictions/<language>.parquet."""
    (folder / "predictions").mkdir(exist_ok=True)
    counter = ProgressCounter(
        context.progress(stage, "items"), expected_rows(stage.all_data_slices, context.catalogue)
    )
    search = SearchPredictions(stage, context, folder / SCRATCH, counter)
    counts: list[RowCount] = []
    empty: dict[str, str] = {}
    # A search fills its batches itself, and needs the index of one language at a time.
    searched = _task_type(stage, context).answered_by_search
    languages = _languages(stage, context, counts, empty)
    for batch in language_batches(languages, 1 if searched else context.runtime.shard):
        _write_predictions(stage, context, batch, folder, search, counter)
    if not counts:
        raise NoRowsError("; ".join(empty.values()))
    return {
        "empty": empty,
        "trained_on": context.training_counts(stage.model),
        "notes": [*selection_notes(stage.model, stage.data_slices, context)],
        "items": sum(count.used for count in counts),
        "sizes": asdict(context.model(stage.model).sizes()),
        "data": [asdict(count) for count in (*counts, *search.counts())],
    }


def _languages(
    stage: Predict, context: RunContext, counts: list[RowCount], empty: dict[str, str]
) -> Iterator[LanguageItems]:
    """Each language that has items; all are noted in `counts` or `empty`."""
    card = context.data.card(stage.card)
    for data_slice in stage.data_slices:
        try:
            items = load(data_slice, context)
        except NoRowsError as error:
            empty[data_slice.language] = error.reason
            continue
        counts.append(items.count)
        language = data_slice.text_language
        prompted_card = card if stage.prompt_digest is None else card.in_language(language)
        yield LanguageItems(data_slice, prompted_card, items.examples)


def _task_type(stage: Predict, context: RunContext) -> TaskType:
    return context.catalogue.task_types[context.catalogue.card(stage.card).task_type]


def _write_predictions(
    stage: Predict,
    context: RunContext,
    batch: Sequence[LanguageItems],
    folder: Path,
    search: SearchPredictions,
    counter: ProgressCounter,
) -> None:
    """Write the predictions of a batch's languages, unless they are all there."""
    languages = [items.data_slice.language for items in batch]
    paths = [folder / "predictions" / f"{language}.parquet" for language in languages]
    if all(path.is_file() for path in paths):
        counter.add(item_count(batch))
        return
    scratch = folder / SCRATCH / languages[0]
    scratch.mkdir(parents=True, exist_ok=True)
    task_type = _task_type(stage, context)
    if task_type.answered_by_search:
        (items,) = batch
        predictions = search.answer(task_type, items.data_slice, items.examples)
        checked(predictions, items.card, items.examples)
        table = _table(items.card, task_type, items.examples, predictions)
        counter.add(item_count(batch))
    else:
        table = _in_shards(stage, context, batch, scratch, counter)
    for path, (items, rows) in zip(paths, by_language(table, batch), strict=True):
        _check_items(items.data_slice, items.examples, rows.column("item").to_pylist())
        write_table(path, rows)
    shutil.rmtree(scratch)


def _in_shards(
    stage: Predict,
    context: RunContext,
    batch: Sequence[LanguageItems],
    scratch: Path,
    counter: ProgressCounter,
) -> pa.Table:
    """The predictions, shard by shard, continuing after the shards that are already there."""
    import pyarrow as pa

    size, card, task_type = context.runtime.shard, batch[0].card, _task_type(stage, context)
    examples = [example for items in batch for example in items.examples]
    paths = []
    for first in range(0, len(examples), size):
        # The size is part of the name: shards of another size hold other items.
        path = scratch / f"{first:09d}-{size}.parquet"
        paths.append(path)
        shard = examples[first : first + size]
        if not path.is_file():
            model = context.model(stage.model)
            predictions = ask_model(model, card, task_type, shard, stage.recipe)
            write_table(path, _table(card, task_type, shard, predictions))
        counter.add(len(shard))
    return pa.concat_tables([read_table(path) for path in paths])


def _table(
    card: TaskCard,
    task_type: TaskType,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
) -> pa.Table:
    """Columns: item, prediction.

    Raises:
        StageError: a prediction has another shape than the task type's.
    """
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
        column = pa.array(predictions, shapes[task_type.prediction])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StageError(
            f"predictions for '{card.name}' are not {task_type.prediction}: {error}"
        ) from None
    items = pa.array([example.id for example in examples])
    return pa.table({"item": items, "prediction": column})


def _check_items(data_slice: DataSlice, examples: Sequence[Example], items: Sequence[str]) -> None:
    if [example.id for example in examples] != list(items):
        raise StageError(
            f"stored predictions of {data_slice.card} {data_slice.language} are of other items",
            hint="delete the stage's folder and run again",
        )


def protocol(stage: Predict) -> str:
    """How a model was made to answer, as score rows say it.

    Scores of different protocols never share an average.
    """
    if stage.prompt_digest is None:
        return "fine-tuned"
    shots = _shots(stage.model)
    return "fine-tuned, text-to-text" if shots is None else f"prompted, {shots}-shot"


def _shots(model: Checkpoint) -> int | None:
    """How many examples a model is shown that learnt nothing; None for one that learnt."""
    if isinstance(model, SelectModel):
        return _shots(model.candidates[0])
    if not isinstance(model, Train):
        return 0
    if any(feed.objective != "shots" for feed in model.feeds):
        return None
    return sum(data_slice.limit or 0 for feed in model.feeds for data_slice in feed.data_slices)
