"""`intermediate`: an English intermediate task first, then the target (STILTs)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from xharness import Checkpoint, Heads, Name, Route, TranslateTest
from xharness_strategies.learning import LearningOptions, LearningStrategy
from xharness_strategies.mixture import MixtureOptions


class IntermediateOptions(LearningOptions, MixtureOptions):
    """The intermediate tasks, what is learnt beside them, and what becomes of their heads."""

    tasks: tuple[Name, ...] = Field(min_length=1, description="intermediate task cards")
    mode: Literal["sequential", "multitask"] = Field(
        default="sequential", description="several tasks one after the other, or together"
    )
    leave_out_target: bool = Field(
        default=False,
        description="whether a target goes without those of the tasks that it is itself trained on",
    )
    heads: Heads = Field(
        default="drop",
        description="keep: a target whose head has the intermediate task's name starts from it",
    )
    apply_to: Literal["intermediate", "target", "both"] = Field(
        default="intermediate", description="the stage that `mlm` and `translate` are for"
    )
    selection: Literal["last", "source-dev", "average"] | None = Field(
        default=None,
        description="of the intermediate stage: source-dev is its own tasks' dev data; "
        "default: the study's selection",
    )

    @property
    def card_names(self) -> tuple[str, ...]:
        return (*self.tasks, *super().card_names)


class Intermediate(LearningStrategy):
    """Supplementary training on intermediate labelled tasks (Phang et al. 2018, 2020).

    A target without training data is judged straight on the intermediate model, which is where
    Phang et al. 2020 report the largest gains.
    """

    name = "intermediate"
    options: type[BaseModel] = IntermediateOptions

    def route(self, route: Route, options: Any) -> Checkpoint | TranslateTest:
        settings: IntermediateOptions = options
        intermediate_stage, target_stage = learning_stages(settings)
        # Looked up before anything is trained: a wrong name must not cost the first stage.
        cards = [route.card(name) for name in settings.tasks]
        if settings.leave_out_target:
            own_names = {card.name for card in route.training_sets()}
            cards = [card for card in cards if card.name not in own_names]
        together = settings.mode == "multitask"
        model = route.base
        for stage_cards in [cards] if together and cards else [[card] for card in cards]:
            # One task alone has nothing to be mixed with, and its key must not say that it was.
            mixture = settings.mixture(stage_cards) if together else None
            model = intermediate_stage.train(
                route,
                model,
                stage_cards,
                mixture=mixture,
                targets=route.targets,
                dev_targets=(),
                selection=settings.selection,
            )
        return target_stage.finish(route, model, heads=settings.heads)


def learning_stages(settings: IntermediateOptions) -> tuple[LearningOptions, LearningOptions]:
    """What the intermediate stages learn beside their tasks, and what the target's do."""
    without_extras = {"mlm": None, "translate": None}
    intermediate_stage = settings.model_copy(
        update=without_extras if settings.apply_to == "target" else {}
    )
    if settings.apply_to != "intermediate":
        return intermediate_stage, settings
    # Translated test items belong to the target whatever stage translation is for.
    testing = settings.translate is not None and settings.translate.mode == "test"
    return intermediate_stage, settings.model_copy(
        update={"mlm": None} if testing else without_extras
    )
