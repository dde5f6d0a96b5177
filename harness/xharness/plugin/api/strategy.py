"""Strategies: pure functions from a route to the model that a target is judged on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from xharness.plugin.api.backend import NoOptions
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.stages import Checkpoint, DataSlice, Heads, Mixture, Objective, Train, TrainingFeed


@dataclass(frozen=True)
class TranslateTest:
    """A model that is asked in the source language: items are translated before it answers."""

    model: Checkpoint
    translator: str
    options: Mapping[str, Any]


# A protocol: strategies are handed one, and their tests may hand them another.
class Route(Protocol):
    """What a strategy is given: a model, a target, and the ways to train."""

    @property
    def base(self) -> Checkpoint:
        """The model before the strategy."""
        ...

    @property
    def target(self) -> TaskCard:
        """The target the returned model is judged on."""
        ...

    @property
    def targets(self) -> Sequence[TaskCard]:
        """All targets of the study."""
        ...

    @property
    def source_language(self) -> str:
        """The language that training sets are in, and that the gap is measured from."""
        ...

    def languages(self, target: TaskCard | None = None) -> Sequence[str]:
        """The languages a target is scored in."""
        ...

    def training_sets(self, target: TaskCard | None = None) -> Sequence[TaskCard]:
        """The cards the target trains on, in order; empty where it has no training data."""
        ...

    def card(self, name: str) -> TaskCard:
        """A card by name."""
        ...

    def prompted(self, shots: int = 0) -> Checkpoint:
        """The base as it is asked, for a model that answers in words: after `shots` examples."""
        ...

    def rows(
        self,
        card: TaskCard,
        languages: Sequence[str] | None = None,
        *,
        split: Split = "train",
        sample: int | None = None,
    ) -> Sequence[DataSlice]:
        """Rows of a card, by default in the source language; `sample` draws so many a language.

        Raises:
            ConfigurationError: the card lacks a language that is named, or has fewer rows.
        """
        ...

    def translated(
        self,
        data_slices: Sequence[DataSlice],
        language: str,
        translator: str,
        options: Mapping[str, Any],
    ) -> Sequence[DataSlice]:
        """Rows whose texts a translator puts into another language."""
        ...

    def feed(self, card: TaskCard, data_slices: Sequence[DataSlice] | None = None) -> TrainingFeed:
        """A training set: the card's source-language rows, or those given."""
        ...

    def corpus(
        self, name: str, languages: Sequence[str] | None = None, *, objective: Objective = "mlm"
    ) -> TrainingFeed:
        """The texts of any card, in some of its languages, to learn the language itself from."""
        ...

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
        """Train `start` on training sets, all together; a card stands for its source-language one.

        Without a `mixture` each is drawn in proportion to the steps that it would get alone, where
        `budget: equal` adds them up, else to its examples.
        `auxiliary`: feeds and the share of all steps that each gets. `dev_targets`: the targets on
        whose dev data `selection: target-dev` selects, by default the route's. `selection` comes
        over the study's, `recipe` over its recipe.

        Raises:
            UnsupportedError: the model cannot learn one of them; let it pass, the arm is left out.
        """
        ...


class Strategy(ABC):
    """A pure function from a route to the model the target is judged on."""

    name: str
    options: type[BaseModel] = NoOptions
    """What a study may write beside `strategy:`."""

    @abstractmethod
    def route(self, route: Route, options: Any) -> Checkpoint | TranslateTest: ...

    def card_names(self, options: Any) -> Sequence[str]:
        """The task cards that `options` name: wrong names are told with all else that is wrong."""
        return ()
