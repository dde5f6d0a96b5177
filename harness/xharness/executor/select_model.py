"""Select by dev data: the best of several models, and a judge of one training's checkpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from xharness.executor.ask_model import ask_model
from xharness.executor.context import RunContext
from xharness.plugin.api import Checkpoint, CheckpointPolicy, Example, Model, Recipe
from xharness.stages import CheckpointSelection, DataSlice, SelectModel, Train
from xharness.task_types.scoring import item_statistics, value

Judge = Callable[[Model], float]


def judge(
    selection: CheckpointSelection | SelectModel, recipe: Recipe, context: RunContext
) -> Judge:
    """Scores a model on the dev rows: the mean over cards of the mean over languages, in [0, 1].

    The unweighted mean of main metrics, as jiant takes it of several tasks.
    """

    # A training is judged many times on the same rows.
    @cache
    def examples(data_slice: DataSlice) -> list[Example]:
        return context.data.load(data_slice).examples

    def score(model: Model) -> float:
        values: dict[str, list[float]] = defaultdict(list)
        metrics = dict(selection.metrics)
        for data_slice in selection.dev:
            metric = metrics[data_slice.card]
            values[data_slice.card].append(
                _score(model, data_slice, examples(data_slice), metric, recipe, context)
            )
        return fmean(fmean(card_values) for card_values in values.values())

    return score


def checkpoint_policy(
    selection: CheckpointSelection | None, recipe: Recipe, context: RunContext
) -> CheckpointPolicy | None:
    """A stage's selection as the training reads it."""
    if selection is None:
        return None
    if selection.by == "average":
        return CheckpointPolicy("average", selection.num_evals)
    dev_judge = judge(selection, recipe, context)
    return CheckpointPolicy("best", selection.num_evals, selection.patience, dev_judge)


def select_model(stage: SelectModel, context: RunContext, folder: Path) -> Mapping[str, Any]:
    """Name the best candidate; of equals the first. Its weights stay where they are."""
    report = context.progress(stage, "models")
    scores = []
    for number, candidate in enumerate(stage.candidates, 1):
        # Each with its own recipe: what differs between them may change how they answer.
        scores.append(judge(stage, candidate.recipe, context)(context.model(candidate)))
        report(number, len(stage.candidates))
    best = stage.candidates[scores.index(max(scores))]
    return {
        "chosen": best.key,
        "learning_rate": best.recipe.learning_rate,
        "candidates": [
            {
                "learning_rate": candidate.recipe.learning_rate,
                "dev": score,
                "stage": candidate.key,
            }
            for candidate, score in zip(stage.candidates, scores, strict=True)
        ],
        "data": context.store.receipt(best.key).facts["data"],
    }


def selection_notes(
    checkpoint: Checkpoint, scored_slices: Sequence[DataSlice], context: RunContext
) -> Iterator[str]:
    """What a reader must know of how the model was chosen."""
    model = context.resolved(checkpoint)
    if isinstance(checkpoint, SelectModel) and isinstance(model, Train):
        rates = ", ".join(
            f"{candidate.recipe.learning_rate:g}" for candidate in checkpoint.candidates
        )
        yield f"learning rate {model.recipe.learning_rate:g}, the best on dev data of {rates}"
    if isinstance(model, Train) and model.selection is not None:
        facts = context.store.receipt(model.key).facts["training"]
        yield _NOTES[model.selection.by] if "selection" in facts else _NOT_SELECTED
    dev_slices = _selection_data(checkpoint, context)
    # Not by equality: a limit or a translation of the same rows leaves them the same items.
    if {*map(_coordinates, dev_slices)} & {*map(_coordinates, scored_slices)}:
        yield "the model was chosen on items that are scored"


def _selection_data(checkpoint: Checkpoint, context: RunContext) -> Iterator[DataSlice]:
    """All dev data that the weights of a checkpoint were chosen on, from its start on."""
    if isinstance(checkpoint, SelectModel):
        yield from checkpoint.dev
    model = context.resolved(checkpoint)
    if isinstance(model, Train):
        yield from model.selection.dev if model.selection else ()
        yield from _selection_data(model.start, context)


def _coordinates(data_slice: DataSlice) -> tuple[str, str, str]:
    return data_slice.card, data_slice.language, data_slice.split


_NOT_SELECTED = "the backend does not look at states of training: this is the last one"
_NOTES = {
    "source-dev": "the state of training that does best on source-language dev data",
    "target-dev": "oracle: the state of training that does best on target-language dev data",
    "average": "the mean of the weights at several states of training",
}


def _score(
    model: Model,
    data_slice: DataSlice,
    examples: Sequence[Example],
    metric_name: str,
    recipe: Recipe,
    context: RunContext,
) -> float:
    card = context.data.card(data_slice.card).in_language(data_slice.text_language)
    task_type = context.catalogue.task_types[card.task_type]
    predictions = ask_model(model, card, task_type, examples, recipe)
    metric = task_type.metrics[metric_name]
    return value(metric, item_statistics(metric, examples, predictions, card, data_slice.language))
