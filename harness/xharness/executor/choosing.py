"""Choosing by dev data: a judge for the states of one training, and the best of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from xharness.executor.asking import ask
from xharness.executor.scoring import item_statistics, value
from xharness.executor.work import Work
from xharness.extend import Checkpoint, Choosing, Example, Model, Recipe
from xharness.stages import Choose, Portion, Selection, Train

Judge = Callable[[Model], float]


def judge(by: Selection | Choose, recipe: Recipe, work: Work) -> Judge:
    """Asks a model the dev rows: the mean over cards of the mean over languages, in [0, 1].

    The unweighted mean of main metrics, as jiant takes it of several tasks.
    """

    @cache
    def examples(portion: Portion) -> list[Example]:
        return work.data.load(portion).examples

    def judged(model: Model) -> float:
        found: dict[str, list[float]] = defaultdict(list)
        metrics = dict(by.metrics)
        for one in by.dev:
            score = _score(model, one, examples(one), metrics[one.card], recipe, work)
            found[one.card].append(score)
        return fmean(fmean(values) for values in found.values())

    return judged


def choosing(selection: Selection | None, recipe: Recipe, work: Work) -> Choosing | None:
    """What a training is told of a stage's selection."""
    if selection is None:
        return None
    if selection.by == "average":
        return Choosing("average", selection.looks)
    asked = judge(selection, recipe, work)
    return Choosing("best", selection.looks, selection.patience, asked)


def choose(stage: Choose, work: Work, folder: Path) -> Mapping[str, Any]:
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


def notes(checkpoint: Checkpoint, scored: Sequence[Portion], work: Work) -> Iterator[str]:
    """What a reader must know of how the model was chosen."""
    model = work.settled(checkpoint)
    if isinstance(checkpoint, Choose) and isinstance(model, Train):
        rates = ", ".join(f"{one.recipe.learning_rate:g}" for one in checkpoint.candidates)
        yield f"learning rate {model.recipe.learning_rate:g}, the best on dev data of {rates}"
    if isinstance(model, Train) and model.selection is not None:
        facts = work.store.receipt(model.key).facts["training"]
        yield _SAID[model.selection.by] if "choosing" in facts else _NOT_LOOKED
    if {*map(_place, _looked_at(checkpoint, work))} & {*map(_place, scored)}:
        yield "the model was chosen on items that are scored"


def _looked_at(checkpoint: Checkpoint, work: Work) -> Iterator[Portion]:
    """All dev data that the weights of a checkpoint were chosen on, from its start on."""
    if isinstance(checkpoint, Choose):
        yield from checkpoint.dev
    model = work.settled(checkpoint)
    if isinstance(model, Train):
        yield from model.selection.dev if model.selection else ()
        yield from _looked_at(model.start, work)


def _place(portion: Portion) -> tuple[str, str, str]:
    return portion.card, portion.language, portion.split


_NOT_LOOKED = "the backend does not look at states of training: this is the last one"
_SAID = {
    "source-dev": "the state of training that does best on source-language dev data",
    "target-dev": "oracle: the state of training that does best on target-language dev data",
    "average": "the mean of the weights at several states of training",
}


def _score(
    model: Model,
    portion: Portion,
    examples: Sequence[Example],
    metric_name: str,
    recipe: Recipe,
    work: Work,
) -> float:
    card = work.data.card(portion.card).spoken(portion.asked_in)
    kind = work.catalogue.kinds[card.kind]
    given = ask(model, card, kind, examples, recipe)
    metric = kind.metrics[metric_name]
    return value(metric, item_statistics(metric, examples, given, card, portion.language))
