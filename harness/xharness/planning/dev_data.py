"""Dev data: which rows a state of a training, or one of several trainings, is chosen on."""

from __future__ import annotations

from collections.abc import Sequence

from xharness.errors import ConfigurationError
from xharness.planning.context import ArmContext
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.stages import DataSlice

_SPLIT: Split = "validation"


def source_dev(
    way: ArmContext, cards: Sequence[TaskCard], limit: int | None
) -> tuple[DataSlice, ...]:
    """The validation split of each card in the study's source language.

    Raises:
        ConfigurationError: a card has none.
        UnavailableError: it cannot be had.
    """
    language = way.study.source_language
    found = {}
    for card in {card.name: card for card in cards}.values():
        _check_kind(way, card)
        if not card.has(language, _SPLIT):
            raise _none(card, f" in '{language}'")
        found[card.name] = way.data_slice(card, language, _SPLIT, limit)
    return tuple(found.values())


def target_dev(
    way: ArmContext, targets: Sequence[tuple[TaskCard, Sequence[str]]], limit: int | None
) -> tuple[DataSlice, ...]:
    """The validation split of each target in those of the languages that have one.

    Raises:
        ConfigurationError: a target has none, or is scored on it.
        UnavailableError: it cannot be had.
    """
    found: list[DataSlice] = []
    for card, languages in targets:
        _check_kind(way, card)
        if (way.spec(card).split or card.eval_split) == _SPLIT:
            raise ConfigurationError(
                f"task '{card.name}' is scored on its validation split: no model can be chosen "
                "on it too",
                hint="selection: last, average or source-dev",
            )
        having = [one for one in languages if card.has(one, _SPLIT)]
        if not having:
            raise _none(card, "")
        found += [way.data_slice(card, one, _SPLIT, limit) for one in having]
    return tuple(found)


def _check_kind(way: ArmContext, card: TaskCard) -> None:
    if way.catalogue.task_types[card.task_type].answered_by_search:
        raise ConfigurationError(
            f"no model can be chosen on task '{card.name}': items of kind '{card.task_type}' are "
            "answered from an index, which is too much to ask while training",
            hint="selection: last or average",
        )


def _none(card: TaskCard, where: str) -> ConfigurationError:
    return ConfigurationError(
        f"task '{card.name}' has no validation split{where} to choose a model on",
        hint="selection: last or average, and one learning rate",
    )
