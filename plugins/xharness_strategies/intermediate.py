"""`intermediate`: an English intermediate task first, then the target (STILTs)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from xharness.cards import Name
from xharness.extend import Checkpoint, Heads, Route
from xharness_strategies.mixing import MixingOptions
from xharness_strategies.single import finish


class IntermediateOptions(MixingOptions):
    """The intermediate tasks, and what becomes of their heads."""

    tasks: tuple[Name, ...] = Field(min_length=1, description="intermediate task cards")
    mode: Literal["sequential", "multitask"] = Field(
        default="sequential", description="several tasks one after the other, or together"
    )
    heads: Heads = Field(
        default="drop",
        description="keep: a target whose head has the intermediate task's name starts from it",
    )


class Intermediate:
    """Supplementary training on intermediate labelled tasks (Phang et al. 2018, 2020).

    A target without training data is judged straight on the intermediate model, which is where
    Phang et al. 2020 report the largest gains.
    """

    name = "intermediate"
    options: type[BaseModel] = IntermediateOptions

    def route(self, route: Route, options: Any) -> Checkpoint:
        cards = [route.card(name) for name in options.tasks]
        model = route.base
        if options.mode == "multitask":
            model = route.train(model, cards, mixing=options.mixing())
        else:
            for card in cards:
                model = route.train(model, [card])
        return finish(route, model, heads=options.heads)
