"""Predictions: a file for each language, saved shard by shard, each item exactly once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness.data import Count, expected
from xharness.errors import NoRowsError, StageError
from xharness.executor.asking import ask, checked
from xharness.executor.choosing import notes
from xharness.executor.streams import Part, split, streams, total
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
    done = Done(work.progress(stage, "items"), expected(stage.all_portions, work.catalogue))
    together = Answering(stage, work, folder / SCRATCH, done)
    counts: list[Count] = []
    empty: dict[str, str] = {}
    alone = isinstance(_kind(stage, work), Together)
    parts = _parts(stage, work, counts, empty)
    for stream in streams(parts, 1 if alone else work.runtime.shard):
        _answer(stage, work, stream, folder, together, done)
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


def _parts(
    stage: Predict, work: Work, counts: list[Count], empty: dict[str, str]
) -> Iterator[Part]:
    """Each language that has items; all are noted in `counts` or `empty`."""
    card = work.data.card(stage.card)
    for portion in stage.portions:
        try:
            loaded = load(portion, work)
        except NoRowsError as error:
            empty[portion.language] = error.reason
            continue
        counts.append(loaded.count)
        asked = card if stage.said is None else card.spoken(portion.asked_in)
        yield Part(portion, asked, loaded.examples)


def _kind(stage: Predict, work: Work) -> Kind:
    return work.catalogue.kinds[work.catalogue.card(stage.card).kind]


def _answer(
    stage: Predict,
    work: Work,
    stream: Sequence[Part],
    folder: Path,
    together: Answering,
    done: Done,
) -> None:
    """Write the predictions of a stream's languages, unless they are all there."""
    paths = [folder / "predictions" / f"{one.portion.language}.parquet" for one in stream]
    if all(path.is_file() for path in paths):
        done.add(total(stream))
        return
    scratch = folder / SCRATCH / stream[0].portion.language
    scratch.mkdir(parents=True, exist_ok=True)
    kind = _kind(stage, work)
    if isinstance(kind, Together):
        (part,) = stream
        given = checked(
            together.answer(kind, part.portion, part.examples), part.card, part.examples
        )
        table = _table(part.card, kind, part.examples, given)
        done.add(total(stream))
    else:
        table = _in_shards(stage, work, stream, scratch, done)
    for path, (part, own) in zip(paths, split(table, stream), strict=True):
        _check(part.portion, part.examples, own.column("item").to_pylist())
        write_table(path, own)
    shutil.rmtree(scratch)


def _in_shards(
    stage: Predict, work: Work, stream: Sequence[Part], scratch: Path, done: Done
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
            given = ask(work.model(stage.model), card, kind, some, stage.recipe)
            write_table(shard, _table(card, kind, some, given))
        done.add(len(some))
    return pa.concat_tables([read_table(shard) for shard in shards])


def _table(
    card: TaskCard, kind: Kind, examples: Sequence[Example], given: Sequence[Prediction]
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


def _check(portion: Portion, examples: Sequence[Example], items: Sequence[str]) -> None:
    if [example.id for example in examples] != list(items):
        raise StageError(
            f"stored predictions of {portion.card} {portion.language} are not for these items",
            hint="delete the stage's folder and run again",
        )


def _sizes(stage: Predict, work: Work) -> Sizes:
    return work.model(stage.model).sizes()
