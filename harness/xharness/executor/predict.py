"""Predict: a file for each language, saved shard by shard, each item exactly once."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.data.counts import RowCount, expected_rows
from xharness.errors import NoRowsError, StageError
from xharness.executor.ask_model import checked
from xharness.executor.budgets import trainings
from xharness.executor.context import ProgressCounter, RunContext
from xharness.executor.language_batches import (
    LanguageBatch,
    LanguageItems,
    by_language,
    language_batches,
)
from xharness.executor.search import SearchPredictions
from xharness.executor.select_model import selection_notes
from xharness.executor.shards import ShardedPrediction
from xharness.executor.translate import stream
from xharness.files import make_folder
from xharness.plugin.api import Example, Prediction, TaskCard, TaskType
from xharness.stages import Checkpoint, Predict, SelectModel, Train
from xharness.store import PREDICTIONS, SCRATCH
from xharness.store.parts import Parts
from xharness.store.tables import save_table, save_tables

if TYPE_CHECKING:
    import pyarrow as pa


def predict(stage: Predict, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Answer every item of every language under `folder`/predictions/<language>.parquet."""
    make_folder(folder / PREDICTIONS)
    counter = ProgressCounter(
        context.progress(stage, "items"), expected_rows(stage.all_data_slices, context.catalogue)
    )
    parts = Parts(folder)
    search = SearchPredictions(stage, context, folder / SCRATCH, parts, counter)
    counts: list[RowCount] = []
    empty: dict[str, str] = {}
    # Lazily: a language is read when its turn comes, and `counts` and `empty` fill on the way.
    languages = _languages(stage, context, counts, empty)
    if _task_type(stage, context).answered_by_search:
        for items in languages:
            counter.add(_search_language(stage, context, items, folder, search, parts))
    else:
        _answer_in_shards(stage, context, languages, folder, parts, counter)
    # Only one of several languages may lack rows; a task without any has nothing to score.
    if not counts:
        raise NoRowsError("; ".join(empty.values()))
    model = context.model(stage.model)
    computed = model.computes(stage.recipe)
    selection = selection_notes(stage.model, stage.data_slices, context)
    return {
        "empty": empty,
        "trained_on": context.training_counts(stage.model),
        # Kept here, where they are at hand: a training's receipt may be lost before the score.
        "trainings": trainings(stage.model, context),
        "notes": [*selection, *computation_notes(stage, computed)],
        "items": sum(count.used for count in counts),
        "sizes": asdict(model.sizes()),
        "data": [asdict(count) for count in (*counts, *search.counts())],
        "prompted": stage.prompt_digest is not None,
        **computed,
    }


def _languages(
    stage: Predict, context: RunContext, counts: list[RowCount], empty: dict[str, str]
) -> Iterator[LanguageItems]:
    """Each language that has items; all are noted in `counts`, once read, or in `empty`."""
    card = context.data.card(stage.card)
    for data_slice in stage.data_slices:
        examples = stream(data_slice, context)
        remaining = iter(examples)
        try:
            # Only its end shows whether data is partial: no night is spent on what is refused.
            if context.environment.strict_data:
                deque(stream(data_slice, context), maxlen=0)
            first = next(remaining)
        except NoRowsError as error:
            empty[data_slice.language] = error.reason
            continue
        language = data_slice.text_language
        prompted_card = card if stage.prompt_digest is None else card.in_language(language)
        yield LanguageItems(data_slice, prompted_card, chain([first], remaining))
        counts.append(examples.count)


def _task_type(stage: Predict, context: RunContext) -> TaskType:
    return context.catalogue.task_types[context.catalogue.card(stage.card).task_type]


def _search_language(
    stage: Predict,
    context: RunContext,
    items: LanguageItems,
    folder: Path,
    search: SearchPredictions,
    parts: Parts,
) -> int:
    """Write the predictions of a language whose items are answered with each other; how many."""
    path, examples = _path(folder, items), [*items.examples]
    if parts.has(path):
        return len(examples)
    task_type = _task_type(stage, context)
    predictions = search.answer(task_type, items.data_slice, examples)
    checked(predictions, items.card, task_type, examples)
    with parts.write(path) as partial:
        save_table(partial, _table(items.card, task_type, examples, predictions))
    # Vectors take much room, and nothing reads those of a finished language again.
    shutil.rmtree(folder / SCRATCH / items.data_slice.language, ignore_errors=True)
    return len(examples)


def _answer_in_shards(
    stage: Predict,
    context: RunContext,
    languages: Iterator[LanguageItems],
    folder: Path,
    parts: Parts,
    counter: ProgressCounter,
) -> None:
    """Write the predictions of all languages, unless they are all there, in one flow."""
    task_type, size = _task_type(stage, context), context.runtime.shard
    sharded = ShardedPrediction(
        lambda: context.model(stage.model),
        task_type,
        stage.recipe,
        size,
        folder / SCRATCH,
        parts,
        counter,
    )

    def missing() -> Iterator[LanguageBatch]:
        for batch in language_batches(languages, size):
            if all(parts.has(_path(folder, items)) for items in batch.languages):
                counter.add(sum(1 for _ in batch.examples()))
            else:
                yield batch

    def store(batch: LanguageBatch, tables: Iterable[pa.Table]) -> None:
        for items, language_tables in by_language(tables, batch):
            with parts.write(_path(folder, items)) as partial:
                save_tables(partial, language_tables)
        # The shards of a whole batch lie under its first language.
        shutil.rmtree(folder / SCRATCH / batch.languages[0].data_slice.language)

    def tabulate(
        card: TaskCard, examples: Sequence[Example], predictions: Sequence[Prediction]
    ) -> pa.Table:
        return _table(card, task_type, examples, predictions)

    sharded.run(missing(), tabulate, store)


def _path(folder: Path, items: LanguageItems) -> Path:
    return folder / PREDICTIONS / f"{items.data_slice.language}.parquet"


def computation_notes(stage: Predict, computed: Mapping[str, str]) -> Iterator[str]:
    """What a reader of the board must know where it is computed otherwise than a study says."""
    precision, device = computed.get("precision", "fp32"), computed.get("device", "")
    is_emulated = device.startswith("cpu") and precision in ("bf16", "fp16")
    if is_emulated or (stage.recipe.precision == "auto" and precision != "fp32"):
        yield f"computed in {precision}{' on a CPU' if is_emulated else ''}"
    if "max_length" in computed:
        yield (
            f"max_length {stage.recipe.max_length} is more than the model reads: "
            f"{computed['max_length']}"
        )


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
    # Said, not inferred: of a column of empty lists Arrow could not tell what they would hold.
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
