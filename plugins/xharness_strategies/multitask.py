"""`multitask`: the targets' English training sets together, one backbone, one head a task."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from xharness import (
    Checkpoint,
    ConfigurationError,
    Name,
    Route,
    TaskCard,
    TranslateTest,
    suggestion,
)
from xharness_strategies.learning import LearningOptions, LearningStrategy
from xharness_strategies.mixture import MixtureOptions


class MultitaskOptions(LearningOptions, MixtureOptions):
    """Which targets' training sets take part, how they are mixed, and what comes after."""

    targets: tuple[Name, ...] | None = Field(
        default=None, description="targets whose training sets take part; default: all"
    )
    finish_with: Literal["single"] | None = Field(
        default=None,
        alias="finish",
        description="single: then each target's own training sets alone, its head kept",
    )


class Multitask(LearningStrategy):
    """Train once on everything; the one model is judged on every target.

    A training set that several targets share takes part once.
    """

    name = "multitask"
    options: type[BaseModel] = MultitaskOptions

    def route(self, route: Route, options: Any) -> Checkpoint | TranslateTest:
        settings: MultitaskOptions = options
        targets = _targets(route, settings)
        # By name: a set that two targets share would else count twice in the mixture.
        cards = {card.name: card for target in targets for card in route.training_sets(target)}
        model = route.base
        if cards:
            training_cards = list(cards.values())
            model = settings.train(
                route,
                model,
                training_cards,
                mixture=settings.mixture(training_cards),
                targets=targets,
                dev_targets=targets,
            )
        if settings.finish_with == "single":
            return settings.finish(route, model, heads="keep")
        return settings.end(route, model, targets)


def _targets(route: Route, settings: MultitaskOptions) -> list[TaskCard]:
    """The targets that take part."""
    study_targets = {card.name: card for card in route.targets}
    for name in settings.targets or ():
        if name not in study_targets:
            raise ConfigurationError(
                f"'{name}' is not a target of this study",
                where="strategy 'multitask', targets",
                hint=suggestion(name, study_targets),
            )
    return [study_targets[name] for name in settings.targets or study_targets]
