"""`single-long`: the target alone, for as many steps as intermediate training takes in all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from xharness import Checkpoint, ConfigurationError, Route, Train, TranslateTest
from xharness_strategies.intermediate import Intermediate, IntermediateOptions, learning_stages
from xharness_strategies.learning import LearningStrategy


class SingleLong(LearningStrategy):
    """The control of `intermediate`, with its options: as many steps in all, and no other task.

    What intermediate training spends before the target is added to the target's last training, so
    that training longer is not taken for what another task teaches.
    """

    name = "single-long"
    options: type[BaseModel] = IntermediateOptions

    def route(self, route: Route, options: Any) -> Checkpoint | TranslateTest:
        settings: IntermediateOptions = options
        # Few examples and translated questions come at the end of both, and alike.
        testing = settings.translate is not None and settings.translate.mode == "test"
        plain = settings.model_copy(
            update={"few_shot": None, **({"translate": None} if testing else {})}
        )
        model: Checkpoint | TranslateTest = learning_stages(plain)[1].finish(route, route.base)
        if isinstance(model, Train) and model != route.base:
            intermediate = Intermediate().route(route, plain)
            _, *earlier = _steps(model, route.base)
            steps = sum(_steps(intermediate, route.base)) - sum(earlier)
            model = replace(model, recipe=model.recipe.changed({"steps": steps}))
        assert not isinstance(model, TranslateTest)
        return learning_stages(settings)[1].end(route, model, [route.target])


def _steps(model: Checkpoint | TranslateTest, base: Checkpoint) -> Iterator[int]:
    """The steps of the trainings after `base`, the last one first.

    Raises:
        ConfigurationError: one counts epochs.
    """
    while isinstance(model, Train) and model != base:
        if model.recipe.steps is None:
            raise ConfigurationError(
                "'single-long' needs a recipe that counts steps",
                hint="how many steps an epoch has is not known before data is read",
            )
        yield model.recipe.steps
        model = model.start
