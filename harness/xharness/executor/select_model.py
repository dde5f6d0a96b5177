"""Choosing by dev data: a judge for the states of one training, and the best of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from xharness.executor.ask_model import ask_model
from xharness.executor.context import RunContext
from xharness.executor.score import item_statistics, value
from xharness.plugin.api import Checkpoint, CheckpointPolicy, Example, Model, Recipe
from xharness.stages import CheckpointSelection, DataSlice, SelectModel, Train

Judge = Callable[[Model], float]


def judge(by: CheckpointSelection | SelectModel, recipe: Recipe, work: RunContext) -> Judge:
    """Asks a model the dev rows: the mean over cards of the mean over languages, in [0, 1].

    The unweighted mean of main metrics, as jiant takes it of several tasks.
    """

    @cache
    def examples(portion: DataSlice) -> list[Example]:
        return work.data.load(portion).examples

    def judged(model: Model) -> float:
        found: dict[str, list[float]] = defaultdict(list)
        metrics = dict(by.metrics)
        for one in by.dev:
            score = _score(model, one, examples(one), metrics[one.card], recipe, work)
            found[one.card].append(score)
        return fmean(fmean(values) for values in found.values())

    return judged


def choosing(
    selection: CheckpointSelection | None, recipe: Recipe, work: RunContext
) -> CheckpointPolicy | None:
    """What a training is told of a stage's selection."""
    if selection is None:
        return None
    if selection.by == "average":
        return CheckpointPolicy("average", selection.num_evals)
    asked = judge(selection, recipe, work)
    return CheckpointPolicy("best", selection.num_evals, selection.patience, asked)


def choose(stage: SelectModel, work: RunContext, folder: Path) -> Mapping[str, Any]:
    """Name the best candidate; of equals the first. Its weights stay where they are."""
    tell = work.progress(stage, "models")
    scores = []
    for done, candidate in enumerate(stage.candidates, 1):
        scores.append(judge(stage, candidate.recipe, work)(work.model(candidate)))
        tell(done, len(stage.candidates))
    chosen = stage.candidates[scores.index(max(scores))]
    return {
        "stage": "choose",
        "chosen": chosen.key,
        "learning_rate": chosen.recipe.learning_rate,
        "candidates": [
            {"learning_rate": one.recipe.learning_rate, "dev": score, "stage": one.key}
            for one, score in zip(stage.candidates, scores, strict=True)
        ],
        "data": work.store.receipt(chosen.key).facts["data"],
    }


def notes(checkpoint: Checkpoint, scored: Sequence[DataSlice], work: RunContext) -> Iterator[str]:
    """What a reader must know of how the model was chosen."""
    model = work.resolved(checkpoint)
    if isinstance(checkpoint, SelectModel) and isinstance(model, Train):
        rates = ", ".join(f"{one.recipe.learning_rate:g}" for one in checkpoint.candidates)
        yield f"learning rate {model.recipe.learning_rate:g}, the best on dev data of {rates}"
    if isinstance(model, Train) and model.selection is not None:
        facts = work.store.receipt(model.key).facts["training"]
        yield _SAID[model.selection.by] if "choosing" in facts else _NOT_LOOKED
    if {*map(_place, _looked_at(checkpoint, work))} & {*map(_place, scored)}:
        yield "the model was chosen on items that are scored"


def _looked_at(checkpoint: Checkpoint, work: RunContext) -> Iterator[DataSlice]:
    """All dev data that the weights of a checkpoint were chosen on, from its start on."""
    if isinstance(checkpoint, SelectModel):
        yield from checkpoint.dev
    model = work.resolved(checkpoint)
    if isinstance(model, Train):
        yield from model.selection.dev if model.selection else ()
        yield from _looked_at(model.start, work)


def _place(portion: DataSlice) -> tuple[str, str, str]:
    return portion.card, portion.language, portion.split


_NOT_LOOKED = "the backend does not look at states of training: this is the last one"
_SAID = {
    "source-dev": "the state of training that does best on source-language dev data",
    "target-dev": "oracle: the state of training that does best on target-language dev data",
    "average": "the mean of the weights at several states of training",
}


def _score(
    model: Model,
    portion: DataSlice,
    examples: Sequence[Example],
    metric_name: str,
    recipe: Recipe,
    work: RunContext,
) -> float:
    card = work.data.card(portion.card).in_language(portion.text_language)
    kind = work.catalogue.task_types[card.task_type]
    given = ask_model(model, card, kind, examples, recipe)
    metric = kind.metrics[metric_name]
    return value(metric, item_statistics(metric, examples, given, card, portion.language))
