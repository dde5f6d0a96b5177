"""Performs one stage inside its folder; what it returns goes into the receipt."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xharness.data.counts import RowCount
from xharness.errors import StageError
from xharness.executor.context import RunContext
from xharness.executor.predict import predict
from xharness.executor.score import score
from xharness.executor.select_model import choose, choosing
from xharness.executor.translate import load, translate
from xharness.plugin.api import TrainingSession, TrainingSet
from xharness.stages import Predict, SelectModel, Stage, Train, TrainingFeed, Translate
from xharness.store import SCRATCH


def perform(stage: Stage, work: RunContext, folder: Path) -> Mapping[str, Any]:
    """Do what `stage` says, continuing from what an interrupted attempt left in `folder`.

    Raises:
        XharnessError: it cannot be done.
    """
    try:
        if isinstance(stage, Train):
            return train(stage, work, folder)
        if isinstance(stage, Predict):
            return predict(stage, work, folder)
        if isinstance(stage, Translate):
            return translate(stage, work, folder)
        if isinstance(stage, SelectModel):
            return choose(stage, work, folder)
        return score(stage, work, folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            where = str(error.filename or folder)
            raise StageError(
                error.strerror or "cannot write",
                where=where,
                hint="free some space or name another folder with --store, then run again",
            ) from error
        raise


def train(stage: Train, work: RunContext, folder: Path) -> Mapping[str, Any]:
    """Train and save a model under `folder`/model."""
    unfinished = folder / SCRATCH
    unfinished.mkdir(exist_ok=True)
    counts: list[RowCount] = []
    feeds = [training_set(feed, work, counts) for feed in stage.feeds]
    model = work.take(stage.start)
    facts = model.fit(
        feeds,
        stage.recipe,
        TrainingSession(
            seed=stage.seed,
            folder=unfinished / "checkpoint",
            heads=stage.heads,
            mixture=stage.mixture,
            selector=choosing(stage.selection, stage.recipe, work),
            checkpoint_seconds=work.runtime.checkpoint_seconds,
            progress=work.progress(stage, "steps"),
        ),
    )
    shutil.rmtree(unfinished / "model", ignore_errors=True)
    shutil.rmtree(folder / "model", ignore_errors=True)
    model.save(unfinished / "model")
    (unfinished / "model").rename(folder / "model")
    work.keep(stage, model)
    return {
        "stage": "train",
        "training": dict(facts),
        "sizes": asdict(model.sizes()),
        "data": [*work.learnt_from(stage.start), *(asdict(count) for count in counts)],
    }


def training_set(feed: TrainingFeed, work: RunContext, counts: list[RowCount]) -> TrainingSet:
    """The feed's rows; portions of several languages follow each other, and are counted."""
    card = work.data.card(feed.data_slices[0].card)
    loaded = [load(portion, work, learn=True) for portion in feed.data_slices]
    counts += [one.count for one in loaded]
    examples = [example for one in loaded for example in one.examples]
    languages = [one.count.language for one in loaded for _ in one.examples]
    kind = work.catalogue.task_types[card.task_type]
    return TrainingSet(card, kind, feed.objective, feed.head, examples, languages)
