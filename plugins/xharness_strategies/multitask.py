"""`multitask`: the targets' English training sets together, one body, one head a task."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from xharness.cards import Name
from xharness.extend import (
    Checkpoint,
    ConfigurationError,
    InTranslation,
    Route,
    TaskCard,
    suggestion,
)
from xharness_strategies.learning import LearningOptions
from xharness_strategies.mixing import MixingOptions


class MultitaskOptions(LearningOptions, MixingOptions):
    """Which targets' training sets take part, how they are mixed, and what comes after."""

    targets: tuple[Name, ...] | None = Field(
        default=None, description="targets whose training sets take part; default: all"
    )
    finish_with: Literal["single"] | None = Field(
        default=None,
        alias="finish",
        description="single: then each target's own training sets alone, its head kept",
    )


class Multitask:
    """Train once on everything; the one model is judged on every target.

    A training set that several targets share takes part once.
    """

    name = "multitask"
    options: type[BaseModel] = MultitaskOptions

    def route(self, route: Route, options: Any) -> Checkpoint | InTranslation:
        asked: MultitaskOptions = options
        targets = _targets(route, asked)
        cards = {card.name: card for one in targets for card in route.training_sets(one)}
        model = route.base
        if cards:
            every = list(cards.values())
            model = asked.train(
                route, model, every, mixing=asked.mixing(every), targets=targets, judged=targets
            )
        if asked.finish_with == "single":
            return asked.finish(route, model, heads="keep")
        return asked.end(route, model, targets)


def _targets(route: Route, asked: MultitaskOptions) -> list[TaskCard]:
    """The targets that take part."""
    known = {card.name: card for card in route.targets}
    for name in asked.targets or ():
        if name not in known:
            raise ConfigurationError(
                f"'{name}' is not a target of this study",
                where="strategy 'multitask', targets",
                hint=suggestion(name, known),
            )
    return [known[name] for name in asked.targets or known]
