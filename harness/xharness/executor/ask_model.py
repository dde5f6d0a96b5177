"""Has a model predict the answers to items, part by part where they are made of parts."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.errors import StageError
from xharness.plugin.api import Example, Model, Prediction, Recipe, TaskCard, TaskType


def ask_model(
    model: Model, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
) -> Sequence[Prediction]:
    """One prediction for each example; all parts of all examples are one call of the model.

    Raises:
        StageError: the model gave too few answers, too many, or None for one.
    """
    parts = [task_type.parts(example) for example in examples]
    flat_parts = [part for example_parts in parts for part in example_parts]
    predictions = model.predict(card, task_type.predicted, flat_parts, recipe)
    answers = iter(checked(predictions, card, flat_parts))
    return [task_type.joined([next(answers) for _ in example_parts]) for example_parts in parts]


def checked(
    predictions: Sequence[Prediction], card: TaskCard, examples: Sequence[Example]
) -> Sequence[Prediction]:
    """`predictions`, if there is one for each example.

    Raises:
        StageError: there are too few, too many, or None for one.
    """
    if len(predictions) != len(examples):
        raise StageError(
            f"{len(predictions)} predictions for {len(examples)} items of '{card.name}'"
        )
    for example, prediction in zip(examples, predictions, strict=True):
        if prediction is None:
            raise StageError(f"no prediction for item '{example.id}' of '{card.name}'")
    return predictions
