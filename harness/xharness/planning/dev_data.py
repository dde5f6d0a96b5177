"""Dev data: the rows that a checkpoint of a training, or one of several trainings, is chosen on."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.errors import ConfigurationError
from xharness.planning.context import PlanningContext
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.stages import DataSlice

_SPLIT: Split = "validation"


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
    for card in {card.name: card for card in cards}.values():
        _check_task_type(context, card)
        if not card.has(language, _SPLIT):
            raise _no_dev_data(card, f" in '{language}'")
        data_slices[card.name] = context.data_slice(card, language, _SPLIT, limit)
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
        if (context.target(card).split or card.eval_split) == _SPLIT:
            raise ConfigurationError(
                f"task '{card.name}' is scored on its validation split: no model can be chosen "
                "on it too",
                hint="selection: last, average or source-dev",
            )
        dev_languages = [language for language in languages if card.has(language, _SPLIT)]
        if not dev_languages:
            raise _no_dev_data(card, "")
        data_slices += [
            context.data_slice(card, language, _SPLIT, limit) for language in dev_languages
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
