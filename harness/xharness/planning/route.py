"""The route that a strategy takes: rows, feeds made of them, and trainings (see `xharness.Route`).

Everything here is a value of the plan: nothing is read, translated or trained yet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, get_args

from xharness.errors import ConfigurationError, UnsupportedError, suggestion
from xharness.planning.auxiliary_data import source_dev, target_dev
from xharness.planning.capabilities import Capabilities
from xharness.planning.context import ArmContext, PlanningContext
from xharness.plugin.api import Checkpoint
from xharness.spec.cards import TaskCard
from xharness.spec.recipe import Recipe, changes
from xharness.spec.selection import SelectionSpec
from xharness.spec.sources import Split
from xharness.stages import (
    CheckpointSelection,
    DataSlice,
    Heads,
    Mixture,
    Objective,
    Train,
    TrainingFeed,
    Translate,
)


@dataclass(frozen=True)
class ArmRoute:
    """The `Route` of one arm."""

    context: ArmContext
    base: Checkpoint
    target: TaskCard

    @property
    def _planning(self) -> PlanningContext:
        return self.context.planning

    @cached_property
    def _capabilities(self) -> Capabilities:
        return self._planning.capabilities(self.context.model)

    @cached_property
    def targets(self) -> tuple[TaskCard, ...]:
        return tuple(self.card(target.task) for target in self._planning.targets)

    @property
    def source_language(self) -> str:
        return self._planning.study.source_language

    def languages(self, target: TaskCard | None = None) -> tuple[str, ...]:
        card = target or self.target
        return self._planning.target(card).languages or card.languages

    def training_sets(self, target: TaskCard | None = None) -> tuple[TaskCard, ...]:
        return tuple(self.card(name) for name in (target or self.target).train_on)

    def card(self, name: str) -> TaskCard:
        return self._planning.catalogue.card(name)

    def rows(
        self,
        card: TaskCard,
        languages: Sequence[str] | None = None,
        *,
        split: Split = "train",
        sample: int | None = None,
    ) -> tuple[DataSlice, ...]:
        # What a strategy names must be there; a source language without rows only drops the arm.
        for language in languages or ():
            _check_rows(card, language, split, sample)
        if sample is not None or split != "train":
            self._check_unscored(card, split)
        limit = self._planning.study.train_limit if sample is None else sample
        data_slices = tuple(
            self._planning.data_slice(card, language, split, limit)
            for language in languages or (self.source_language,)
        )
        if sample is None:
            return data_slices
        return tuple(replace(data_slice, sample=self.context.seed) for data_slice in data_slices)

    def translated(
        self,
        data_slices: Sequence[DataSlice],
        language: str,
        translator: str,
        options: Mapping[str, Any],
    ) -> tuple[DataSlice, ...]:
        return tuple(
            replace(
                data_slice,
                language=language,
                translation=self._translation(data_slice, language, translator, options),
            )
            for data_slice in data_slices
        )

    def with_texts_in(
        self, language: str, data_slice: DataSlice, translator: str, options: Mapping[str, Any]
    ) -> DataSlice:
        """Rows to be scored, their texts translated into `language`; they count for their own."""
        if data_slice.language == language:
            return data_slice
        translation = self._translation(data_slice, language, translator, options)
        return replace(data_slice, translation=translation)

    def corpus(
        self, name: str, languages: Sequence[str] | None = None, *, objective: Objective = "mlm"
    ) -> TrainingFeed:
        card, limit = self.card(name), self._planning.study.train_limit
        self._capabilities.check(card, objective)
        for language in languages or ():
            _check_rows(card, language, "train", None)
        data_slices = tuple(
            self._planning.data_slice(card, language, "train", limit)
            for language in languages or card.languages
        )
        # A text has no card's head: all that is learnt by one objective shares the objective's own.
        return TrainingFeed(data_slices, objective, objective)

    def feed(self, card: TaskCard, data_slices: Sequence[DataSlice] | None = None) -> TrainingFeed:
        backend = self.context.model.backend
        if card.task_type not in self._planning.catalogue.backends[backend].task_types:
            raise UnsupportedError(
                f"backend '{backend}' cannot learn tasks of type '{card.task_type}'"
            )
        self._capabilities.check(card, "task")
        rows = tuple(data_slices) if data_slices is not None else self.rows(card)
        return TrainingFeed(rows, "task", card.head_name, self._capabilities.prompt_digest(card))

    def prompted(self, shots: int = 0) -> Checkpoint:
        if not self._capabilities.generates:
            name = self.context.model.name
            raise UnsupportedError(f"model '{name}' answers by heads, which must be trained")
        # Without examples nothing enters the prompt, so the pretrained model itself is scored.
        if not shots:
            return self.base
        if not self.training_sets():
            raise UnsupportedError(f"task '{self.target.name}' has no training set to show")
        # The last one is the closest to the target: COPA, not SIQA, for XCOPA.
        card = self.training_sets()[-1]
        self._capabilities.check(card, "shots")
        # Drawn by the arm's seed: which examples are shown is part of what varies between seeds.
        rows = self.rows(card, sample=shots)
        feed = TrainingFeed(rows, "shots", card.head_name, self._capabilities.prompt_digest(card))
        # Nothing is learnt, so no recipe may enter the key.
        return Train(self.base, (feed,), Mixture(), Recipe(), "drop", self.context.seed)

    def train(
        self,
        start: Checkpoint,
        training_sets: Sequence[TaskCard | TrainingFeed],
        *,
        heads: Heads = "drop",
        mixture: Mixture | None = None,
        auxiliary: Sequence[tuple[TrainingFeed, float]] = (),
        dev_targets: Sequence[TaskCard] | None = None,
        selection: str | None = None,
        recipe: Mapping[str, Any] | None = None,
    ) -> Train:
        feeds = tuple(
            entry if isinstance(entry, TrainingFeed) else self.feed(entry)
            for entry in training_sets
        )
        shares = tuple(share for _, share in auxiliary)
        _check_mixture(feeds, mixture, shares)
        _check_words(heads, recipe or {})
        cards = self._cards(feeds)
        separate_steps = self.context.separate_steps(cards, recipe)
        if len(feeds) < 2:
            mixture = Mixture()  # of one feed there is nothing to mix, whatever was asked
        elif mixture is None:
            mixture = _mixture_of(separate_steps)
        if shares:
            mixture = replace(mixture, auxiliary_shares=shares)
        stage_recipe = self.context.recipe(cards, recipe)
        if separate_steps:
            steps = math.ceil(sum(separate_steps) / (1 - sum(shares)))
            stage_recipe = stage_recipe.changed({"steps": steps})
        all_feeds = (*feeds, *(feed for feed, _ in auxiliary))
        for feed, card in zip(all_feeds, self._cards(all_feeds), strict=True):
            # Asked again, now that the recipe is known: an adapter may not fit the model.
            self._capabilities.check(card, feed.objective, stage_recipe, feed.data_slices)
        spec = self._selection_spec(selection)
        checkpoints = self._selection(
            spec, feeds, (self.target,) if dev_targets is None else dev_targets
        )
        for data_slice in checkpoints.dev if checkpoints is not None else ():
            self._capabilities.check(self.card(data_slice.card), data_slices=(data_slice,))
        seed = self.context.seed
        return Train(start, all_feeds, mixture, stage_recipe, heads, seed, checkpoints)

    def dev(self, training: Train, limit: int | None = None) -> tuple[DataSlice, ...]:
        """Source-language dev rows of what a training learns."""
        feeds = [feed for feed in training.feeds if feed.objective == "task"]
        return self._source_dev(feeds, limit)

    def metrics(self, dev: Sequence[DataSlice]) -> tuple[tuple[str, str], ...]:
        """Each card of dev rows, and its main metric, which judges answers to them."""
        names = dict.fromkeys(data_slice.card for data_slice in dev)
        return tuple((name, self.card(name).metrics[0]) for name in names)

    def _selection_spec(self, selection: str | None) -> SelectionSpec:
        """The study's, unless a strategy says another."""
        if selection is None:
            return self.context.selection
        return SelectionSpec.model_validate({"by": selection})

    def _selection(
        self, spec: SelectionSpec, feeds: Sequence[TrainingFeed], dev_targets: Sequence[TaskCard]
    ) -> CheckpointSelection | None:
        """A stage that trains no head of a dev target is selected on its own tasks' dev."""
        if spec.by == "last":
            return None
        if spec.by == "average":
            return CheckpointSelection("average", spec.num_evals)
        heads = {feed.head for feed in feeds}
        targets = [card for card in dev_targets if card.head_name in heads]
        if spec.by == "target-dev" and targets:
            languages = [(card, self.languages(card)) for card in targets]
            dev = target_dev(self._planning, languages, spec.limit)
            _check_disjoint(feeds, dev)
            return CheckpointSelection(
                "target-dev", spec.num_evals, spec.patience, dev, self.metrics(dev)
            )
        dev = self._source_dev(feeds, spec.limit)
        return CheckpointSelection(
            "source-dev", spec.num_evals, spec.patience, dev, self.metrics(dev)
        )

    def _source_dev(
        self, feeds: Sequence[TrainingFeed], limit: int | None
    ) -> tuple[DataSlice, ...]:
        dev = source_dev(self._planning, self._cards(feeds), limit)
        _check_disjoint(feeds, dev)
        return dev

    def _cards(self, feeds: Sequence[TrainingFeed]) -> list[TaskCard]:
        return [self.card(feed.data_slices[0].card) for feed in feeds]

    def _translation(
        self, data_slice: DataSlice, language: str, translator: str, options: Mapping[str, Any]
    ) -> Translate:
        card = self.card(data_slice.card)
        if not self._planning.catalogue.task_types[card.task_type].translatable:
            raise UnsupportedError(
                f"task '{card.name}' cannot be translated: answers of type '{card.task_type}' "
                "are positions in the text"
            )
        source = data_slice.language
        start = self._planning.translator(translator, options, source, language)
        return Translate(data_slice, start, source, language)

    def _check_unscored(self, card: TaskCard, split: Split) -> None:
        """Refuse to learn what is scored, unless the study itself scores the train split."""
        for target in self._planning.targets:
            if target.task == card.name and split == (target.split or card.eval_split):
                raise ConfigurationError(
                    f"'{split}' of task '{card.name}' is what is scored",
                    expected="rows of another split to train on",
                )


def _check_rows(card: TaskCard, language: str, split: Split, sample: int | None) -> None:
    """Whether the card has what a strategy names, as far as the card tells."""
    if not card.has(language, split):
        languages = [code for code in card.languages if card.has(code, split)]
        raise ConfigurationError(
            f"task '{card.name}' has no {split} split in '{language}'",
            hint=f"it has one in: {', '.join(languages)}"
            if languages
            else f"it has no {split} split at all",
        )
    row_count = card.expected_rows(language, split)
    if sample is not None and row_count is not None and row_count < sample:
        raise ConfigurationError(
            f"'{split}' of task '{card.name}' has {row_count} rows in '{language}', not {sample}"
        )


def _check_disjoint(feeds: Sequence[TrainingFeed], dev: Sequence[DataSlice]) -> None:
    """Refuse to choose a model on rows that it learns."""
    training_slices = {
        (data_slice.card, data_slice.language, data_slice.split)
        for feed in feeds
        for data_slice in feed.data_slices
    }
    for data_slice in dev:
        card, language, split = data_slice.card, data_slice.language, data_slice.split
        if (card, language, split) in training_slices:
            raise ConfigurationError(
                f"'{split}' of task '{card}' in '{language}' cannot be learnt and chosen on too",
                hint="draw examples from another split, or choose the last state: selection: last",
            )


def _mixture_of(separate_steps: Sequence[int]) -> Mixture:
    """What a strategy that says nothing mixes by: each feed's own steps, or its examples."""
    # One spelling for equal weights, so that equal mixtures have one key.
    if len({*separate_steps}) == 1:
        return Mixture("uniform")
    return Mixture(weights=tuple(map(float, separate_steps)))


def _check_words(heads: str, recipe: Mapping[str, Any]) -> None:
    """Whether a strategy's words mean something; a word that is ignored would change nothing."""
    if heads not in get_args(Heads):
        raise ConfigurationError(
            f"heads are dropped or kept, not '{heads}'", hint=suggestion(heads, get_args(Heads))
        )
    try:
        changes(recipe)
    except ValueError as error:
        raise ConfigurationError(f"recipe: {error}") from None


def _check_mixture(
    feeds: Sequence[TrainingFeed], mixture: Mixture | None, shares: Sequence[float]
) -> None:
    if mixture is not None and mixture.weights and len(mixture.weights) != len(feeds):
        raise ConfigurationError(f"{len(mixture.weights)} weights for {len(feeds)} training sets")
    if shares and not (min(shares) > 0 and sum(shares) < 1):
        raise ConfigurationError(
            f"auxiliary feeds get {sum(shares):g} of the steps", expected="above 0 and below 1"
        )
