"""What all stages on a route share: one model under one strategy with one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xharness.candidates import FindPortion
from xharness.cards import Split, TaskCard
from xharness.catalogue import Catalogue
from xharness.errors import ConfigurationError
from xharness.extend import Surroundings
from xharness.routes.translators import Translators
from xharness.stages import Portion
from xharness.study import (
    ModelSpec,
    Recipe,
    Selecting,
    StrategySpec,
    Study,
    TargetSpec,
    agreed,
    at_rate,
    rates_in,
)


class CannotLearnError(ConfigurationError):
    """A strategy wants what a kind of task does not allow: the arm is left out."""


@dataclass(frozen=True)
class Way:
    """What all stages on a route share: one model under one strategy with one seed."""

    study: Study
    catalogue: Catalogue
    portion: FindPortion
    surroundings: Surroundings
    translators: Translators
    targets: Sequence[TargetSpec]
    model: ModelSpec
    strategy: StrategySpec
    selecting: Selecting
    seed: int
    rate: int = 0
    """Which of the learning rates is taken, where a recipe lists several."""

    @property
    def rates(self) -> int:
        """How many learning rates there are to choose from."""
        study = self.study.recipe
        several = (study.own_fields, *study.tasks.values(), self.model.recipe, self.strategy.recipe)
        return max(map(rates_in, several))

    def recipe(self, cards: Sequence[TaskCard], more: Mapping[str, Any] | None = None) -> Recipe:
        """The study's recipe with what differs for the task, the model and the strategy.

        What the study itself says comes over the recipe of the cards that it names.
        """
        study = self.study.recipe
        named = (card.recipes.get(study.use) for card in cards) if study.use else ()
        published = agreed(one.fields(self.model.size) if one else {} for one in named)
        names = {card.name for card in cards}
        own = study.tasks.get(names.pop(), {}) if len(names) == 1 else {}
        changes = (study.own_fields, own, self.model.recipe, self.strategy.recipe, more or {})
        return Recipe().changed(published, *(at_rate(one, self.rate) for one in changes))

    def find(self, card: TaskCard, language: str, split: Split, limit: int | None) -> Portion:
        """The portion; a crash below here is that of a source, which no strategy can help."""
        return self.portion(card, language, split, limit)

    def spec(self, target: TaskCard) -> TargetSpec:
        """What the study says about a target."""
        return next(one for one in self.targets if one.task == target.name)
