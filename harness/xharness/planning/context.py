"""What planning knows: of the whole study, and of one model under one strategy with one seed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xharness.digests import canonical
from xharness.planning.capabilities import Capabilities
from xharness.planning.memo import Memo
from xharness.planning.targets import expanded_targets
from xharness.plugin.api import RunEnvironment
from xharness.plugin.asking import ask_fingerprint
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.cards import TaskCard
from xharness.spec.models import ModelSpec
from xharness.spec.recipe import Grid, Recipe, at_learning_rate, common_fields, learning_rate_count
from xharness.spec.selection import SelectionSpec
from xharness.spec.sources import Split
from xharness.spec.study import StrategySpec, Study, TargetSpec
from xharness.spec.study_document import StudyDocument
from xharness.stages import DataSlice, Start

FindSlice = Callable[[TaskCard, str, Split, int | None], DataSlice]
"""The rows of a card in a language and a split, with their fingerprint, or UnavailableError."""


@dataclass(frozen=True)
class PlanningContext:
    """What the plan of a study is made from; data and translators are looked up once each."""

    study: Study
    catalogue: Catalogue
    find_slice: FindSlice
    environment: RunEnvironment
    document: StudyDocument = field(default_factory=StudyDocument)
    """Where the study's file says what, so that errors name its line."""
    _slices: Memo[DataSlice] = field(default_factory=Memo, init=False, repr=False, compare=False)
    _translators: Memo[Start] = field(default_factory=Memo, init=False, repr=False, compare=False)
    _capabilities: Memo[Capabilities] = field(
        default_factory=Memo, init=False, repr=False, compare=False
    )
    _recipes: Memo[Recipe] = field(default_factory=Memo, init=False, repr=False, compare=False)

    @cached_property
    def targets(self) -> tuple[TargetSpec, ...]:
        """What is scored, groups spelt out into their tasks.

        Raises:
            ConfigurationError: an unknown name, a task twice, or a language that nothing has.
        """
        return tuple(expanded_targets(self.study, self.catalogue, self.document))

    @cached_property
    def named_study(self) -> Study:
        """The study with every task called as its card is."""
        return self.study.in_names_of_cards(self.catalogue.card_files.card_name)

    @cached_property
    def task_recipes(self) -> dict[str, Grid]:
        """Card to what the study's recipe changes for it, by whatever name the study calls it."""
        card_name = self.catalogue.card_files.card_name
        return {card_name(task) or task: fields for task, fields in self.study.recipe.tasks.items()}

    def target(self, card: TaskCard) -> TargetSpec:
        """What the study says about the target `card`."""
        return next(target for target in self.targets if target.task == card.name)

    def lender(self, card: TaskCard) -> TaskCard | None:
        """The card whose source-language score stands in for that of `card`."""
        name = self.named_study.source_score_from.get(card.name, card.source_score_from)
        return None if name is None else self.catalogue.card(name)

    def data_slice(
        self, card: TaskCard, language: str, split: Split, limit: int | None
    ) -> DataSlice:
        """Rows of a card; `limit` of them, if it is a number.

        Raises:
            UnavailableError: they cannot be had.
        """
        key = (card.name, language, split, limit)
        return self._slices.get(key, lambda: self.find_slice(card, language, split, limit))

    def capabilities(self, model: ModelSpec) -> Capabilities:
        """What a model of the study can do."""
        return self._capabilities.get(
            model.name, lambda: Capabilities(self.catalogue, model, self.environment)
        )

    def recipe(self, key: Hashable, compute: Callable[[], Recipe]) -> Recipe:
        """The recipe of that key, put together once: seeds share it."""
        return self._recipes.get(key, compute)

    def translator(self, name: str, options: Mapping[str, Any], source: str, target: str) -> Start:
        """The translator `name` from one language into another.

        Raises:
            ConfigurationError: no such translator, an impossible option, or languages it lacks.
            UnavailableError: its model cannot be had.
        """
        # As bytes, because a mapping has no hash.
        key = (name, canonical(dict(options)), source, target)
        return self._translators.get(key, lambda: self._translator(name, options, source, target))

    def _translator(self, name: str, options: Mapping[str, Any], source: str, target: str) -> Start:
        translator = self.catalogue.translators[name]
        settings = validated(translator.options, dict(options), f"translator '{name}'")
        text = canonical(settings.model_dump(mode="json", exclude_defaults=True)).decode()
        identity = ask_fingerprint(
            f"translator '{name}'",
            lambda: translator.fingerprint(settings, source, target, self.environment),
        )
        return Start(name, text, identity)


@dataclass(frozen=True)
class ArmContext:
    """What all stages of an arm share: one model under one strategy with one seed."""

    planning: PlanningContext
    model: ModelSpec
    strategy: StrategySpec
    selection: SelectionSpec
    seed: int
    rate_index: int = 0
    """Which of the learning rates is taken, where a recipe lists several."""

    @property
    def rate_count(self) -> int:
        """How many learning rates there are to choose from."""
        recipe = self.planning.study.recipe
        layers = (
            recipe.stated_fields,
            *recipe.tasks.values(),
            self.model.recipe,
            self.strategy.recipe,
        )
        return max(map(learning_rate_count, layers))

    def separate_steps(
        self, cards: Sequence[TaskCard], stage_fields: Mapping[str, Any] | None = None
    ) -> tuple[int, ...]:
        """The steps that each training set would get alone, where together they get the sum.

        Empty where they don't: `epochs` count, the strategy states its own steps, or the study
        has `budget: per-training`.
        """
        stated_fields = {**self.strategy.recipe, **(stage_fields or {})}
        if self.planning.study.budget != "equal" or "steps" in stated_fields:
            return ()
        steps = [self.recipe([card]).steps for card in cards]
        known_steps = tuple(number for number in steps if number is not None)
        # Several tasks' own steps say nothing of a recipe that counts epochs.
        joint = self.recipe(cards).steps is not None
        return known_steps if joint and len(known_steps) == len(steps) else ()

    def recipe(
        self, cards: Sequence[TaskCard], stage_fields: Mapping[str, Any] | None = None
    ) -> Recipe:
        """The study's recipe with what differs for the task, the model, the strategy, the stage.

        What the study itself says comes over the recipe of the cards that it names.
        """
        names = tuple(card.name for card in cards)
        fields = canonical(dict(stage_fields)) if stage_fields else b""
        key = (self.model.name, self.strategy.name, self.rate_index, names, fields)
        return self.planning.recipe(key, lambda: self._recipe(cards, stage_fields))

    def _recipe(self, cards: Sequence[TaskCard], stage_fields: Mapping[str, Any] | None) -> Recipe:
        recipe = self.planning.study.recipe
        presets = (card.recipes.get(recipe.preset) for card in cards) if recipe.preset else ()
        published = common_fields(
            preset.fields(self.model.size) if preset else {} for preset in presets
        )
        names = {card.name for card in cards}
        # Of several tasks learnt together none may decide for the others.
        task_fields = self.planning.task_recipes.get(names.pop(), {}) if len(names) == 1 else {}
        # The more special the later, and the later wins.
        layers = (
            recipe.stated_fields,
            task_fields,
            self.model.recipe,
            self.strategy.recipe,
            stage_fields or {},
        )
        return Recipe().changed(
            published, *(at_learning_rate(layer, self.rate_index) for layer in layers)
        )
