"""Rows that are not learnt: those that are scored with their candidates, and dev data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from xharness.errors import ConfigurationError, UnavailableError
from xharness.planning.context import PlanningContext
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.spec.study import TargetSpec
from xharness.stages import DataSlice, RetrievalData


@dataclass(frozen=True)
class ScoredRows:
    """The items of a target, language by language, and by language why others have none."""

    data_slices: tuple[DataSlice, ...]
    retrieval: RetrievalData | None
    unavailable: dict[str, UnavailableError]
    """Languages whose items cannot be had."""
    unanswerable: dict[str, UnavailableError]
    """Languages whose items are there, and not what they are answered from."""


class ScoredData:
    """Finds what is scored: looked up once a target, because every arm asks for the same."""

    def __init__(self, context: PlanningContext) -> None:
        self._context = context
        self._rows: dict[str, ScoredRows] = {}

    def of(self, target: TargetSpec, card: TaskCard) -> ScoredRows:
        """The rows of `target`, a task that the study names once."""
        if target.task not in self._rows:
            self._rows[target.task] = self._find(target, card)
        return self._rows[target.task]

    def _find(self, target: TargetSpec, card: TaskCard) -> ScoredRows:
        split = target.split or card.eval_split
        data_slices: list[DataSlice] = []
        unavailable: dict[str, UnavailableError] = {}
        for language in target.languages or card.languages:
            try:
                data_slices.append(self._context.data_slice(card, language, split, target.limit))
            except UnavailableError as error:
                unavailable[language] = error
        retrieval = RetrievalPlan(self._context, card, target)
        answerable, unanswerable = retrieval.answerable(data_slices)
        data = retrieval.data_for(answerable) if answerable else None
        return ScoredRows(answerable, data, unavailable, unanswerable)


@dataclass(frozen=True)
class RetrievalPlan:
    """The data that the items of one target are answered from; none where its card has no index.

    An index is always whole: neither a study's languages nor its limit make it smaller, since
    numbers from a smaller one compare with no published number.
    """

    context: PlanningContext
    card: TaskCard
    target: TargetSpec

    def answerable(
        self, data_slices: Iterable[DataSlice]
    ) -> tuple[tuple[DataSlice, ...], dict[str, UnavailableError]]:
        """Those of `data_slices` that can be answered, and by language why the others can't."""
        answerable: list[DataSlice] = []
        reasons: dict[str, UnavailableError] = {}
        for data_slice in data_slices:
            try:
                # Each alone: a language without an index must not take the others' items with it.
                self.data_for([data_slice])
                answerable.append(data_slice)
            except UnavailableError as error:
                reasons[data_slice.language] = error
        return tuple(answerable), reasons

    def data_for(self, data_slices: Iterable[DataSlice]) -> RetrievalData | None:
        """What answering `data_slices` reads besides them.

        Raises:
            UnavailableError: some of it cannot be had.
        """
        if self.card.index is None:
            return None
        split: Split = self.target.split or self.card.eval_split
        languages = [data_slice.language for data_slice in data_slices]
        index = self._index(languages, split)
        tuning_split, limit = self.card.threshold_split, self.target.limit
        if tuning_split is None:
            return RetrievalData(self._shared, index)
        tuning = tuple(
            self.context.data_slice(self.card, language, tuning_split, limit)
            for language in languages
        )
        return RetrievalData(self._shared, index, tuning, self._index(languages, tuning_split))

    @property
    def _shared(self) -> bool:
        """Whether all languages' candidates are one index."""
        return self.card.index is not None and self.card.index.languages == "all"

    def _index(self, languages: Iterable[str], split: Split) -> tuple[DataSlice, ...]:
        """The candidates; an index without that split has one for all, which it calls test."""
        card = self._index_card
        data_slices = []
        for language in card.languages if self._shared else languages:
            has_split = bool(card.sources_of(language, split))
            index_split = split if has_split else "test"
            data_slices.append(self.context.data_slice(card, language, index_split, None))
        return tuple(data_slices)

    @cached_property
    def _index_card(self) -> TaskCard:
        assert self.card.index is not None
        return self.context.catalogue.card(self.card.index.card)


_DEV_SPLIT: Split = "validation"


def source_dev(
    context: PlanningContext, cards: Sequence[TaskCard], limit: int | None
) -> tuple[DataSlice, ...]:
    """The validation split of each card in the study's source language.

    Raises:
        ConfigurationError: a card has none.
        UnavailableError: it cannot be had.
    """
    language = context.study.source_language
    data_slices = {}
    # Several feeds may be of one card.
    for card in {card.name: card for card in cards}.values():
        _check_task_type(context, card)
        if not card.has(language, _DEV_SPLIT):
            raise _no_dev_data(card, f" in '{language}'")
        data_slices[card.name] = context.data_slice(card, language, _DEV_SPLIT, limit)
    return tuple(data_slices.values())


def target_dev(
    context: PlanningContext, targets: Sequence[tuple[TaskCard, Sequence[str]]], limit: int | None
) -> tuple[DataSlice, ...]:
    """The validation split of each target in those of the languages that have one.

    Raises:
        ConfigurationError: a target has none, or is scored on it.
        UnavailableError: it cannot be had.
    """
    data_slices: list[DataSlice] = []
    for card, languages in targets:
        _check_task_type(context, card)
        # Choosing on the scored rows would report the best of many looks at them.
        if (context.target(card).split or card.eval_split) == _DEV_SPLIT:
            raise ConfigurationError(
                f"task '{card.name}' is scored on its validation split: no model can be chosen "
                "on it too",
                hint="selection: last, average or source-dev",
            )
        dev_languages = [language for language in languages if card.has(language, _DEV_SPLIT)]
        if not dev_languages:
            raise _no_dev_data(card, "")
        data_slices += [
            context.data_slice(card, language, _DEV_SPLIT, limit) for language in dev_languages
        ]
    return tuple(data_slices)


def _check_task_type(context: PlanningContext, card: TaskCard) -> None:
    if context.catalogue.task_types[card.task_type].answered_by_search:
        raise ConfigurationError(
            f"no model can be chosen on task '{card.name}': items of type '{card.task_type}' are "
            "answered from an index, which is too slow during training",
            hint="selection: last or average",
        )


def _no_dev_data(card: TaskCard, language: str) -> ConfigurationError:
    return ConfigurationError(
        f"task '{card.name}' has no validation split{language} to choose a model on",
        hint="selection: last or average, and one learning rate",
    )
