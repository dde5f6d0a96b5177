"""Performs one stage inside its folder; what it returns goes into the receipt."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xharness.data import Count
from xharness.errors import StageError
from xharness.executor.choosing import choose, choosing
from xharness.executor.predicting import predict
from xharness.executor.scoring import score
from xharness.executor.translating import load, translate
from xharness.executor.work import Work
from xharness.extend import Session, TrainingSet
from xharness.stages import Choose, Feed, Predict, Stage, Train, Translate
from xharness.store import SCRATCH


def perform(stage: Stage, work: Work, folder: Path) -> Mapping[str, Any]:
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
        if isinstance(stage, Choose):
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


def train(stage: Train, work: Work, folder: Path) -> Mapping[str, Any]:
    """Train and save a model under `folder`/model."""
    unfinished = folder / SCRATCH
    unfinished.mkdir(exist_ok=True)
    counts: list[Count] = []
    feeds = [training_set(feed, work, counts) for feed in stage.feeds]
    model = work.take(stage.start)
    facts = model.fit(
        feeds,
        stage.recipe,
        Session(
            seed=stage.seed,
            folder=unfinished / "checkpoint",
            heads=stage.heads,
            mixing=stage.mixing,
            choosing=choosing(stage.selection, stage.recipe, work),
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


def training_set(feed: Feed, work: Work, counts: list[Count]) -> TrainingSet:
    """The feed's rows; portions of several languages follow each other, and are counted."""
    card = work.data.card(feed.portions[0].card)
    loaded = [load(portion, work, learn=True) for portion in feed.portions]
    counts += [one.count for one in loaded]
    examples = [example for one in loaded for example in one.examples]
    languages = [one.count.language for one in loaded for _ in one.examples]
    kind = work.catalogue.kinds[card.kind]
    return TrainingSet(card, kind, feed.objective, feed.head, examples, languages)
