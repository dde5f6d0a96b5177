"""`multitask`: the targets' English training sets together, one body, one head a task."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from xharness.cards import Name
from xharness.extend import Checkpoint, ConfigurationError, Route, suggestion
from xharness_strategies.mixing import MixingOptions


class MultitaskOptions(MixingOptions):
    """Which targets' training sets take part, and how they are mixed."""

    targets: tuple[Name, ...] | None = Field(
        default=None, description="targets whose training sets take part; default: all"
    )


class Multitask:
    """Train once on everything; the one model is judged on every target.

    A training set that several targets share takes part once.
    """

    name = "multitask"
    options: type[BaseModel] = MultitaskOptions

    def route(self, route: Route, options: Any) -> Checkpoint:
        targets = {card.name: card for card in route.targets}
        chosen = options.targets or tuple(targets)
        for name in chosen:
            if name not in targets:
                raise ConfigurationError(
                    f"'{name}' is not a target of this study",
                    where="strategy 'multitask', targets",
                    hint=suggestion(name, targets),
                )
        cards = {card.name: card for name in chosen for card in route.training_sets(targets[name])}
        if not cards:
            return route.base
        return route.train(route.base, list(cards.values()), mixing=options.mixing())
