"""Asks a model for the answers to items, part by part where they are made of parts."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.errors import StageError
from xharness.plugin.api import Example, Model, Prediction, Recipe, TaskCard, TaskType
from xharness.task_types import CompositeTaskType


def ask_model(
    model: Model, card: TaskCard, kind: TaskType, examples: Sequence[Example], recipe: Recipe
) -> Sequence[Prediction]:
    """One prediction for each example; the model is asked for all parts of all of them at once.

    Raises:
        StageError: the model gave too few answers, too many, or None for one.
    """
    if not isinstance(kind, CompositeTaskType):
        return _answers(model, card, kind, examples, recipe)
    parts = [kind.parts(one) for one in examples]
    flat = [part for some in parts for part in some]
    answers = iter(_answers(model, card, kind.part, flat, recipe))
    return [kind.joined([next(answers) for _ in some]) for some in parts]


def _answers(
    model: Model, card: TaskCard, kind: TaskType, examples: Sequence[Example], recipe: Recipe
) -> Sequence[Prediction]:
    return checked(model.predict(card, kind, examples, recipe), card, examples)


def checked(
    given: Sequence[Prediction], card: TaskCard, examples: Sequence[Example]
) -> Sequence[Prediction]:
    """`given`, if it is one answer for each example.

    Raises:
        StageError: there are too few, too many, or None for one.
    """
    if len(given) != len(examples):
        raise StageError(f"{len(given)} predictions for {len(examples)} items of '{card.name}'")
    for example, one in zip(examples, given, strict=True):
        if one is None:
            raise StageError(f"no prediction for item '{example.id}' of '{card.name}'")
    return given
