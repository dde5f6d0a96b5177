"""Translations: made once, stored as data, read in place of the texts they translate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from xharness.data.counts import expected_rows
from xharness.data.reader import LoadedSlice
from xharness.errors import StageError
from xharness.executor.context import ProgressCounter, RunContext
from xharness.plugin.api import TaskType, TranslateTexts
from xharness.plugin.catalogue import validated
from xharness.stages import DataSlice, Translate
from xharness.store import SCRATCH
from xharness.store.tables import read_table, write_table

FILE = "texts.parquet"


def translate(stage: Translate, work: RunContext, folder: Path) -> Mapping[str, Any]:
    """Write `folder`/texts.parquet: item, texts; continues after the shards that are there."""
    import pyarrow as pa

    scratch, size = folder / SCRATCH, work.runtime.shard
    scratch.mkdir(exist_ok=True)
    loaded = work.data.load(stage.data_slice)
    kind = _kind(stage, work)
    done = ProgressCounter(
        work.progress(stage, "items"), expected_rows([stage.data_slice], work.catalogue)
    )
    opened: list[TranslateTexts] = []
    parts = []
    for first in range(0, len(loaded.examples), size):
        some = loaded.examples[first : first + size]
        part = scratch / f"{first:09d}-{size}.parquet"
        if not part.is_file():
            opened = opened or [_open(stage, work)]
            texts = _translated(opened[0], [[*kind.texts(one)] for one in some])
            columns = {"item": [one.id for one in some], "texts": texts}
            write_table(part, pa.table(columns, _schema()))
        parts.append(read_table(part))
        done.add(len(some))
    write_table(folder / FILE, pa.concat_tables(parts))
    shutil.rmtree(scratch)
    facts = {"stage": "translate", "items": len(loaded.examples), "data": [asdict(loaded.count)]}
    return {**facts, "translator": stage.translator.backend, "into": stage.target}


def load(portion: DataSlice, work: RunContext, *, learn: bool = False) -> LoadedSlice:
    """The portion's examples, in translation where it is one.

    Raises:
        UnavailableError: as `Data.load`.
        StageError: the stored translations are damaged, or of other items.
    """
    stage = portion.translation
    if stage is None:
        return work.data.load(portion, learn=learn)
    loaded, kind = work.data.load(stage.data_slice, learn=learn), _kind(stage, work)
    table = read_table(work.store.open(stage.key) / FILE)
    texts = dict(zip(table["item"].to_pylist(), table["texts"].to_pylist(), strict=True))
    try:
        examples = [kind.with_texts(one, texts[one.id]) for one in loaded.examples]
    except KeyError as error:
        raise StageError(
            f"there is no translation of item {error}",
            where=str(work.store.folder(stage.key)),
            hint="delete that folder and run again",
        ) from None
    told = replace(loaded.count, language=portion.language, translated=stage.translator.backend)
    return LoadedSlice(examples, told)


def _kind(stage: Translate, work: RunContext) -> TaskType:
    kind = work.catalogue.task_types[work.catalogue.card(stage.data_slice.card).task_type]
    assert kind.translatable
    return kind


def _open(stage: Translate, work: RunContext) -> TranslateTexts:
    translator = work.catalogue.translators[stage.translator.backend]
    written = json.loads(stage.translator.options)
    options = validated(translator.options, written, "the translator of the plan")
    around, device = work.environment, work.runtime.device
    return translator.open(options, stage.source, stage.target, around, device)


def _translated(say: TranslateTexts, texts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Every text said in the other language; empty ones stay empty."""
    wanted = list(dict.fromkeys(one for some in texts for one in some if one.strip()))
    said = list(say(wanted)) if wanted else []
    if len(said) != len(wanted) or not all(isinstance(one, str) for one in said):
        raise StageError(f"the translator gave {len(said)} texts for {len(wanted)}")
    known = dict(zip(wanted, said, strict=True))
    return [[known.get(one, one) for one in some] for some in texts]


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([("item", pa.string()), ("texts", pa.list_(pa.string()))])
