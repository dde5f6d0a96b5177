"""Has a model predict the answers to items, part by part where they are made of parts."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from numbers import Integral
from typing import Any

import numpy as np

from xharness.errors import HALF, BackendError, StageError
from xharness.phrases import counted
from xharness.plugin.api import Backend, Example, Model, Prediction, Recipe, TaskCard, TaskType

_LONGEST = 60  # characters of a wrong answer that are told


def ask_model(
    model: Model, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
) -> Sequence[Prediction]:
    """One prediction for each example; all parts of all examples are one call of the model.

    Raises:
        BackendError: as `checked`.
    """
    parts = [task_type.parts(example) for example in examples]
    flat_parts = [part for example_parts in parts for part in example_parts]
    predictions = model.predict(card, task_type.predicted, flat_parts, recipe)
    answers = iter(checked(predictions, card, task_type.predicted, flat_parts))
    return [task_type.joined([next(answers) for _ in example_parts]) for example_parts in parts]


def ask_each(
    model: Model,
    card: TaskCard,
    task_type: TaskType,
    shards: Iterable[Sequence[Example]],
    recipe: Recipe,
) -> Iterator[Sequence[Prediction]]:
    """As `ask_model` for each shard; the model may make the next ones ready meanwhile.

    Raises:
        BackendError: as `checked`.
    """
    if task_type.part is not None:
        for examples in shards:
            yield ask_model(model, card, task_type, examples, recipe)
        return
    pending: deque[Sequence[Example]] = deque()  # shards that the model holds and has not answered

    def remembered() -> Generator[Sequence[Example], None, None]:
        for examples in shards:
            pending.append(examples)
            yield examples

    with closing(remembered()) as open_shards:
        for predictions in model.predict_each(card, task_type, open_shards, recipe):
            yield checked(predictions, card, task_type, pending.popleft())


def checked(
    predictions: Sequence[Prediction],
    card: TaskCard,
    task_type: TaskType,
    examples: Sequence[Example],
) -> list[Prediction]:
    """`predictions`, if there is one for each example, and each can be an answer to it.

    Raises:
        BackendError: there are too few, too many, or one is nothing that can be answered.
    """
    if isinstance(predictions, Mapping | str):
        raise BackendError(f"a {type(predictions).__name__} in place of a list of predictions")
    answers = list(predictions)
    if len(answers) != len(examples):
        count = counted(len(answers), "prediction")
        raise BackendError(f"{count} for {counted(len(examples), 'item')} of '{card.name}'")
    for example, answer in zip(examples, answers, strict=True):
        expected = _fault(answer, example, card, task_type)
        if expected is not None:
            item = f"item '{example.id}' of '{card.name}'"
            raise BackendError(f"{item} is answered by {_short(answer)}", expected=expected)
    return answers


def _fault(answer: Any, example: Example, card: TaskCard, task_type: TaskType) -> str | None:
    """What should stand in place of `answer`; None where it may stand."""
    shape = task_type.prediction
    if shape == "ranking":  # made by the search, not by a backend
        return None
    if shape in ("text", "int"):
        return _part_fault(shape, answer, example, card, task_type)
    if not isinstance(answer, Sequence | np.ndarray) or isinstance(answer, str):
        return "a list"
    count = task_type.num_parts(example)
    if count is not None and len(answer) != count:
        return f"a list of {count}"
    part_shape = "text" if shape == "texts" else "int"
    faults = (_part_fault(part_shape, part, example, card, task_type) for part in answer)
    return next(filter(None, faults), None)


def _part_fault(
    shape: str, answer: Any, example: Example, card: TaskCard, task_type: TaskType
) -> str | None:
    if shape == "text":
        return None if isinstance(answer, str) and not HALF.search(answer) else "a text"
    if not isinstance(answer, Integral) or isinstance(answer, bool):
        return "a whole number"
    count = task_type.num_answers(example, card)
    return None if count is None or 0 <= int(answer) < count else f"a number from 0 to {count - 1}"


def _short(answer: Any) -> str:
    text = repr(answer)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


@contextmanager
def naming_backend(backend: Backend) -> Iterator[None]:
    """Inside it, what a backend says and cannot be is an error that names the backend.

    Raises:
        StageError: there was such a thing.
    """
    try:
        yield
    except BackendError as error:
        raise StageError(
            f"backend '{backend.name}': {error.what}",
            expected=error.expected,
            hint=error.hint or "this is a defect of the backend's plugin",
        ) from error
