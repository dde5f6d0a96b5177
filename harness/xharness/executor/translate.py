"""Translate: texts in another language, made once, stored, and read in place of the originals."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from xharness.data.counts import RowCount, expected_rows
from xharness.data.examples import ExampleStream
from xharness.data.reader import LoadedSlice
from xharness.errors import StageError
from xharness.executor.context import ProgressCounter, RunContext
from xharness.executor.language_batches import cut
from xharness.files import atomic_file
from xharness.phrases import counted
from xharness.plugin.api import Example, TaskType, TranslateTexts
from xharness.plugin.catalogue import validated
from xharness.stages import DataSlice, Translate
from xharness.store import SCRATCH
from xharness.store.parts import Parts
from xharness.store.tables import read_rows, read_table, save_table, save_tables

FILE = "texts.parquet"


def translate(stage: Translate, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Write `folder`/texts.parquet: item, texts; continues after the shards that are there."""
    import pyarrow as pa

    parts, size = Parts(folder), context.runtime.shard
    source = context.data.stream(stage.data_slice)
    task_type = _task_type(stage, context)
    counter = ProgressCounter(
        context.progress(stage, "items"), expected_rows([stage.data_slice], context.catalogue)
    )
    # Opened for the first shard that lacks: with all of them there, no model is loaded.
    translate_texts: TranslateTexts | None = None
    paths: list[Path] = []
    for shard, _ in cut(source, size):
        path = folder / SCRATCH / f"{len(paths) * size:09d}-{size}.parquet"
        if not parts.has(path):
            translate_texts = translate_texts or _open(stage, context)
            item_texts = [[*task_type.texts(example)] for example in shard]
            columns = {
                "item": [example.id for example in shard],
                "texts": _translations(translate_texts, item_texts),
            }
            with parts.write(path) as partial:
                save_table(partial, pa.table(columns, _schema()))
        paths.append(path)
        counter.add(len(shard))
    with atomic_file(folder / FILE) as partial:
        save_tables(partial, map(read_table, paths))
    return {
        "items": source.count.used,
        "data": [asdict(source.count)],
        "translator": stage.translator.backend,
        "into": stage.target,
    }


def load(data_slice: DataSlice, context: RunContext, *, learn: bool = False) -> LoadedSlice:
    """The slice's examples, with translated texts where it has a translation.

    Raises:
        UnavailableError: as `DataReader.load`.
        StageError: the stored translations are damaged, or of other items.
    """
    examples = stream(data_slice, context, learn=learn)
    return LoadedSlice(list(examples), examples.count)


def stream(data_slice: DataSlice, context: RunContext, *, learn: bool = False) -> ExampleStream:
    """As `load`, without holding the examples: they are read while somebody asks for them."""
    if data_slice.translation is None:
        return context.data.stream(data_slice, learn=learn)
    return ExampleStream(_translated(data_slice, data_slice.translation, context, learn))


def _translated(
    data_slice: DataSlice, stage: Translate, context: RunContext, learn: bool
) -> Generator[Example, None, RowCount]:
    source, task_type = (
        context.data.stream(stage.data_slice, learn=learn),
        _task_type(stage, context),
    )
    rows = read_rows(context.store.open(stage.key) / FILE, ["item", "texts"])
    for example in source:
        # In the same order; translations of what no model can learn from are passed over.
        texts = next((texts for item, texts in rows if item == example.id), None)
        if texts is None:
            raise StageError(
                f"there is no translation of item '{example.id}'",
                where=str(context.store.folder(stage.key)),
                hint="delete that folder and run again",
            )
        yield task_type.with_texts(example, texts)
    translator = stage.translator.backend
    return replace(source.count, language=data_slice.language, translated=translator)


def _task_type(stage: Translate, context: RunContext) -> TaskType:
    card = context.catalogue.card(stage.data_slice.card)
    task_type = context.catalogue.task_types[card.task_type]
    assert task_type.translatable
    return task_type


def _open(stage: Translate, context: RunContext) -> TranslateTexts:
    translator = context.catalogue.translators[stage.translator.backend]
    values = json.loads(stage.translator.options)
    options = validated(translator.options, values, "the translator of the plan")
    environment, device = context.environment, context.runtime.device
    return translator.open(options, stage.source, stage.target, environment, device)


def _translations(
    translate_texts: TranslateTexts, item_texts: Sequence[Sequence[str]]
) -> list[list[str]]:
    """Every text in the other language, each different one translated once; blank ones stay."""
    sources = list(dict.fromkeys(text for texts in item_texts for text in texts if text.strip()))
    results = list(translate_texts(sources)) if sources else []
    if len(results) != len(sources) or not all(isinstance(text, str) for text in results):
        raise StageError(f"the translator gave {counted(len(results), 'text')} for {len(sources)}")
    # Equal texts must stay equal: a premise stands under three hypotheses in XNLI.
    translations = dict(zip(sources, results, strict=True))
    return [[translations.get(text, text) for text in texts] for texts in item_texts]


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([("item", pa.string()), ("texts", pa.list_(pa.string()))])
