"""`intermediate`: an English intermediate task first, then the target (STILTs)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from xharness.cards import Name
from xharness.extend import Checkpoint, Heads, InTranslation, Route
from xharness_strategies.learning import LearningOptions
from xharness_strategies.mixing import MixingOptions


class IntermediateOptions(LearningOptions, MixingOptions):
    """The intermediate tasks, what is learnt beside them, and what becomes of their heads."""

    tasks: tuple[Name, ...] = Field(min_length=1, description="intermediate task cards")
    mode: Literal["sequential", "multitask"] = Field(
        default="sequential", description="several tasks one after the other, or together"
    )
    heads: Heads = Field(
        default="drop",
        description="keep: a target whose head has the intermediate task's name starts from it",
    )
    where: Literal["intermediate", "target", "both"] = Field(
        default="intermediate", description="the stage that `mlm` and `translate` are for"
    )
    choice: Literal["last", "source-dev", "average"] | None = Field(
        default=None,
        description="of the intermediate stage: source-dev is its own tasks' dev data; "
        "default: the study's selection",
    )


class Intermediate:
    """Supplementary training on intermediate labelled tasks (Phang et al. 2018, 2020).

    A target without training data is judged straight on the intermediate model, which is where
    Phang et al. 2020 report the largest gains.
    """

    name = "intermediate"
    options: type[BaseModel] = IntermediateOptions

    def route(self, route: Route, options: Any) -> Checkpoint | InTranslation:
        asked: IntermediateOptions = options
        first, last = _stages(asked)
        cards = [route.card(name) for name in asked.tasks]
        together = asked.mode == "multitask"
        model = route.base
        for some in [cards] if together else [[card] for card in cards]:
            mixing = asked.mixing(some) if together else None
            model = first.train(
                route,
                model,
                some,
                mixing=mixing,
                targets=route.targets,
                judged=(),
                selection=asked.choice,
            )
        return last.finish(route, model, heads=asked.heads)


def _stages(asked: IntermediateOptions) -> tuple[LearningOptions, LearningOptions]:
    """What the intermediate stages learn beside their tasks, and what the target's do."""
    none = {"mlm": None, "translate": None}
    first = asked.model_copy(update=none if asked.where == "target" else {})
    if asked.where != "intermediate":
        return first, asked
    testing = asked.translate is not None and asked.translate.mode == "test"
    return first, asked.model_copy(update={"mlm": None} if testing else none)
