"""The route that strategies walk: rows, feeds made of them, and trainings (see `xharness.plugin.api`).

Everything here is a value of the plan: nothing is read, translated or trained yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from xharness.errors import ConfigurationError
from xharness.planning.capabilities import Capabilities
from xharness.planning.context import ArmContext, UnsupportedError
from xharness.planning.dev_data import source_dev, target_dev
from xharness.plugin.api import Checkpoint
from xharness.spec.cards import TaskCard
from xharness.spec.recipe import Recipe
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

    @cached_property
    def _abilities(self) -> Capabilities:
        return Capabilities(self.context.catalogue, self.context.model, self.context.environment)

    @cached_property
    def targets(self) -> tuple[TaskCard, ...]:
        return tuple(self.card(spec.task) for spec in self.context.targets)

    @property
    def source_language(self) -> str:
        return self.context.study.source_language

    def languages(self, target: TaskCard | None = None) -> tuple[str, ...]:
        card = target or self.target
        return self.context.spec(card).languages or card.languages

    def training_sets(self, target: TaskCard | None = None) -> tuple[TaskCard, ...]:
        return tuple(self.card(name) for name in (target or self.target).train_on)

    def card(self, name: str) -> TaskCard:
        return self.context.catalogue.card(name)

    def rows(
        self,
        card: TaskCard,
        languages: Sequence[str] | None = None,
        *,
        split: Split = "train",
        sample: int | None = None,
    ) -> tuple[DataSlice, ...]:
        for language in languages or ():
            _check_rows(card, language, split, sample)
        if sample is not None or split != "train":
            self._check_unseen(card, split)
        limit = self.context.study.train_limit if sample is None else sample
        seed = None if sample is None else self.context.seed
        return tuple(
            replace(self.context.data_slice(card, language, split, limit), sample=seed)
            for language in languages or (self.source_language,)
        )

    def translated(
        self,
        portions: Sequence[DataSlice],
        language: str,
        translator: str,
        options: Mapping[str, Any],
    ) -> tuple[DataSlice, ...]:
        return tuple(
            replace(
                one, language=language, translation=self._said(one, language, translator, options)
            )
            for one in portions
        )

    def asked_in(
        self, portion: DataSlice, language: str, translator: str, options: Mapping[str, Any]
    ) -> DataSlice:
        """A portion to be scored, its texts said in `language`; its rows stay what they are."""
        if portion.language == language:
            return portion
        return replace(portion, translation=self._said(portion, language, translator, options))

    def corpus(
        self, name: str, languages: Sequence[str] | None = None, *, objective: Objective = "mlm"
    ) -> TrainingFeed:
        card, limit = self.card(name), self.context.study.train_limit
        self._abilities.check(card, objective)
        for language in languages or ():
            _check_rows(card, language, "train", None)
        found = (
            self.context.data_slice(card, one, "train", limit)
            for one in languages or card.languages
        )
        return TrainingFeed(tuple(found), objective, objective)

    def feed(self, card: TaskCard, portions: Sequence[DataSlice] | None = None) -> TrainingFeed:
        backend = self.context.model.backend
        if card.task_type not in self.context.catalogue.backends[backend].task_types:
            raise UnsupportedError(
                f"backend '{backend}' cannot learn tasks of kind '{card.task_type}'"
            )
        self._abilities.check(card, "task")
        rows = tuple(portions) if portions is not None else self.rows(card)
        return TrainingFeed(rows, "task", card.head_name, self._abilities.prompt_digest(card))

    def prompted(self, shots: int = 0) -> Checkpoint:
        if not self._abilities.generates:
            name = self.context.model.name
            raise UnsupportedError(f"model '{name}' answers by heads, which must be trained")
        if not shots:
            return self.base
        if not self.training_sets():
            raise UnsupportedError(f"task '{self.target.name}' has no training set to show")
        card = self.training_sets()[-1]
        self._abilities.check(card, "shots")
        rows = self.rows(card, sample=shots)
        feed = TrainingFeed(rows, "shots", card.head_name, self._abilities.prompt_digest(card))
        # nothing is learnt, so no recipe is read
        return Train(self.base, (feed,), Mixture(), Recipe(), "drop", self.context.seed)

    def train(
        self,
        start: Checkpoint,
        learnt: Sequence[TaskCard | TrainingFeed],
        *,
        heads: Heads = "drop",
        mixing: Mixture | None = None,
        beside: Sequence[tuple[TrainingFeed, float]] = (),
        judged: Sequence[TaskCard] | None = None,
        selection: str | None = None,
        recipe: Mapping[str, Any] | None = None,
    ) -> Train:
        feeds = tuple(one if isinstance(one, TrainingFeed) else self.feed(one) for one in learnt)
        shares = tuple(share for _, share in beside)
        _check_mixing(feeds, mixing, shares)
        chosen = mixing if mixing is not None and len(feeds) > 1 else Mixture()
        if shares:
            chosen = replace(chosen, auxiliary_shares=shares)
        how = (
            self.context.selection
            if selection is None
            else SelectionSpec.model_validate({"by": selection})
        )
        learning = self.context.recipe(self._cards(feeds), recipe)
        every = (*feeds, *(feed for feed, _ in beside))
        for feed, card in zip(every, self._cards(every), strict=True):
            self._abilities.check(card, feed.objective, learning, feed.data_slices)
        looked = self._selection(how, feeds, judged if judged is not None else (self.target,))
        for one in looked.dev if looked is not None else ():
            self._abilities.check(self.card(one.card), data_slices=(one,))
        return Train(start, every, chosen, learning, heads, self.context.seed, looked)

    def dev(self, training: Train, limit: int | None = None) -> tuple[DataSlice, ...]:
        """Source-language dev rows of what a training learns."""
        feeds = [feed for feed in training.feeds if feed.objective == "task"]
        return self._source_dev(feeds, limit)

    def metrics(self, dev: Sequence[DataSlice]) -> tuple[tuple[str, str], ...]:
        """Each card of dev rows, and its main metric, which judges answers to them."""
        names = dict.fromkeys(one.card for one in dev)
        return tuple((name, self.card(name).metrics[0]) for name in names)

    def _selection(
        self, how: SelectionSpec, feeds: Sequence[TrainingFeed], judged: Sequence[TaskCard]
    ) -> CheckpointSelection | None:
        """A stage that trains no head of a judged target is selected on its own tasks' dev."""
        if how.by == "last":
            return None
        if how.by == "average":
            return CheckpointSelection("average", how.num_evals)
        heads = {feed.head for feed in feeds}
        targets = [card for card in judged if card.head_name in heads]
        if how.by == "target-dev" and targets:
            dev = target_dev(
                self.context, [(card, self.languages(card)) for card in targets], how.limit
            )
            _check_apart(feeds, dev)
            return CheckpointSelection(
                "target-dev", how.num_evals, how.patience, dev, self.metrics(dev)
            )
        dev = self._source_dev(feeds, how.limit)
        return CheckpointSelection(
            "source-dev", how.num_evals, how.patience, dev, self.metrics(dev)
        )

    def _source_dev(
        self, feeds: Sequence[TrainingFeed], limit: int | None
    ) -> tuple[DataSlice, ...]:
        found = source_dev(self.context, self._cards(feeds), limit)
        _check_apart(feeds, found)
        return found

    def _cards(self, feeds: Sequence[TrainingFeed]) -> list[TaskCard]:
        return [self.card(feed.data_slices[0].card) for feed in feeds]

    def _said(
        self, portion: DataSlice, language: str, translator: str, options: Mapping[str, Any]
    ) -> Translate:
        card = self.card(portion.card)
        if not self.context.catalogue.task_types[card.task_type].translatable:
            raise UnsupportedError(
                f"task '{card.name}' cannot be translated: the answers of kind '{card.task_type}' are "
                "bound to places in the text"
            )
        source = portion.language
        start = self.context.translators.start(translator, options, source, language)
        return Translate(portion, start, source, language)

    def _check_unseen(self, card: TaskCard, split: Split) -> None:
        """Refuse to learn what is scored; who scores the train split itself knows, and is told."""
        for spec in self.context.targets:
            if spec.task == card.name and split == (spec.split or card.eval_split):
                raise ConfigurationError(
                    f"'{split}' of task '{card.name}' is what is scored",
                    expected="rows of another split to train on",
                )


def _check_rows(card: TaskCard, language: str, split: Split, sample: int | None) -> None:
    """Whether the card has what a strategy names, as far as the card tells."""
    if not card.has(language, split):
        has = [one for one in card.languages if card.has(one, split)]
        raise ConfigurationError(
            f"task '{card.name}' has no {split} split in '{language}'",
            hint=f"it has one in: {', '.join(has)}" if has else f"it has no {split} split at all",
        )
    rows = card.expected_rows(language, split)
    if sample is not None and rows is not None and rows < sample:
        raise ConfigurationError(
            f"'{split}' of task '{card.name}' has {rows} rows in '{language}', not {sample}"
        )


def _check_apart(feeds: Sequence[TrainingFeed], dev: Sequence[DataSlice]) -> None:
    """Refuse to choose a model on rows that it learns."""
    learnt = {(one.card, one.language, one.split) for feed in feeds for one in feed.data_slices}
    for one in dev:
        if (one.card, one.language, one.split) in learnt:
            raise ConfigurationError(
                f"'{one.split}' of task '{one.card}' in '{one.language}' cannot be learnt and "
                "chosen on too",
                hint="draw examples from another split, or choose the last state: selection: last",
            )


def _check_mixing(
    feeds: Sequence[TrainingFeed], mixing: Mixture | None, shares: Sequence[float]
) -> None:
    if mixing is not None and mixing.weights and len(mixing.weights) != len(feeds):
        raise ConfigurationError(f"{len(mixing.weights)} weights for {len(feeds)} training sets")
    if shares and not (min(shares) > 0 and sum(shares) < 1):
        raise ConfigurationError(
            f"{sum(shares):g} of the steps stand beside the tasks", expected="above 0 and below 1"
        )
