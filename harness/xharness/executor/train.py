"""Train: a model learns from its feeds, and is saved."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xharness.data.counts import RowCount
from xharness.executor.context import RunContext
from xharness.executor.select_model import checkpoint_policy
from xharness.executor.translate import load
from xharness.files import make_durable, make_folder, move
from xharness.plugin.api import TrainingSession, TrainingSet
from xharness.stages import Train, TrainingFeed
from xharness.store import MODEL, SCRATCH


def train(stage: Train, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Train and save a model under `folder`/model."""
    scratch = folder / SCRATCH
    make_folder(scratch / "checkpoint")
    counts: list[RowCount] = []
    feeds = [training_set(feed, context, counts) for feed in stage.feeds]
    # Taken, not shared: training changes the weights that other stages would read.
    model = context.take(stage.start)
    facts = model.fit(
        feeds,
        stage.recipe,
        TrainingSession(
            seed=stage.seed,
            folder=scratch / "checkpoint",
            heads=stage.heads,
            mixture=stage.mixture,
            selector=checkpoint_policy(stage.selection, stage.recipe, context),
            checkpoint_seconds=context.runtime.checkpoint_seconds,
            progress=context.progress(stage, "steps"),
            log_metrics=context.log_metrics(stage),
        ),
    )
    # Saved under another name first: what an interruption leaves must not look like a model.
    shutil.rmtree(scratch / MODEL, ignore_errors=True)
    shutil.rmtree(folder / MODEL, ignore_errors=True)
    model.save(scratch / MODEL)
    make_durable(scratch / MODEL)
    move(scratch / MODEL, folder / MODEL)
    context.keep(stage, model)
    return {
        "training": dict(facts),
        "sizes": asdict(model.sizes()),
        "data": [*context.training_counts(stage.start), *(asdict(count) for count in counts)],
    }


def training_set(feed: TrainingFeed, context: RunContext, counts: list[RowCount]) -> TrainingSet:
    """The feed's rows, one language after the other; how many there are is added to `counts`."""
    card = context.data.card(feed.data_slices[0].card)
    slices = [load(data_slice, context, learn=True) for data_slice in feed.data_slices]
    counts += [loaded_slice.count for loaded_slice in slices]
    examples = [example for loaded_slice in slices for example in loaded_slice.examples]
    languages = [
        loaded_slice.count.language for loaded_slice in slices for _ in loaded_slice.examples
    ]
    task_type = context.catalogue.task_types[card.task_type]
    return TrainingSet(card, task_type, feed.objective, feed.head, examples, languages)
