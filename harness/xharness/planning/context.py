"""What all stages on a route share: one model under one strategy with one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xharness.errors import ConfigurationError
from xharness.planning.retrieval import FindSlice
from xharness.planning.translators import TranslatorStarts
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.models import ModelSpec
from xharness.spec.recipe import Recipe, at_learning_rate, common_fields, learning_rate_count
from xharness.spec.selection import SelectionSpec
from xharness.spec.sources import Split
from xharness.spec.study import StrategySpec, Study, TargetSpec
from xharness.stages import DataSlice


class UnsupportedError(ConfigurationError):
    """A strategy wants what a kind of task does not allow: the arm is left out."""


@dataclass(frozen=True)
class ArmContext:
    """What all stages on a route share: one model under one strategy with one seed."""

    study: Study
    catalogue: Catalogue
    find_slice: FindSlice
    environment: RunEnvironment
    translators: TranslatorStarts
    targets: Sequence[TargetSpec]
    model: ModelSpec
    strategy: StrategySpec
    selection: SelectionSpec
    seed: int
    rate_index: int = 0
    """Which of the learning rates is taken, where a recipe lists several."""

    @property
    def rates(self) -> int:
        """How many learning rates there are to choose from."""
        study = self.study.recipe
        several = (
            study.stated_fields,
            *study.tasks.values(),
            self.model.recipe,
            self.strategy.recipe,
        )
        return max(map(learning_rate_count, several))

    def recipe(self, cards: Sequence[TaskCard], more: Mapping[str, Any] | None = None) -> Recipe:
        """The study's recipe with what differs for the task, the model and the strategy.

        What the study itself says comes over the recipe of the cards that it names.
        """
        study = self.study.recipe
        named = (card.recipes.get(study.preset) for card in cards) if study.preset else ()
        published = common_fields(one.fields(self.model.size) if one else {} for one in named)
        names = {card.name for card in cards}
        own = study.tasks.get(names.pop(), {}) if len(names) == 1 else {}
        changes = (study.stated_fields, own, self.model.recipe, self.strategy.recipe, more or {})
        return Recipe().changed(
            published, *(at_learning_rate(one, self.rate_index) for one in changes)
        )

    def data_slice(
        self, card: TaskCard, language: str, split: Split, limit: int | None
    ) -> DataSlice:
        """The portion; a crash below here is that of a source, which no strategy can help."""
        return self.find_slice(card, language, split, limit)

    def spec(self, target: TaskCard) -> TargetSpec:
        """What the study says about a target."""
        return next(one for one in self.targets if one.task == target.name)
