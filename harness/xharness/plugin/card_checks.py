"""Whether a card is right together with all that it names: task type, sources, cards, groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from xharness.errors import ConfigurationError, suggestion
from xharness.plugin.api.source import Source
from xharness.plugin.card_files import CardFiles
from xharness.plugin.registry import Registry
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document, KeyPath
from xharness.spec.groups import TaskGroup
from xharness.spec.recipe import Recipe
from xharness.spec.sources import SourceSpec
from xharness.task_types.base import TaskType

T = TypeVar("T")

_SOURCE_KEYS = {field.alias or name for name, field in SourceSpec.model_fields.items()}
"""What every source's part of a card may say; the rest is for the source itself."""
_ANSWER_FIELDS = frozenset({"label", "labels", "answers", "choices", "tags"})
"""Fields that hold what is to be answered: a prompt must not."""


@dataclass(frozen=True)
class CardChecks:
    """Checks a card against the registries of what it may name."""

    task_types: Registry[TaskType]
    sources: Registry[Source]
    cards: CardFiles
    groups: Registry[TaskGroup]

    def check(
        self,
        card: TaskCard,
        document: Document,
        is_neighbour: Callable[[str], bool] = lambda name: False,
    ) -> None:
        """Whether all that `card` names is there; `is_neighbour` knows cards of no registry.

        Raises:
            ConfigurationError: the first mistake, with its line.
        """
        self._check_task_type(card, document)
        for index, spec in enumerate(card.sources):
            source = _lookup(document, ("sources", index, "from"), self.sources, spec.source)
            # As it was written, not as it was read: only that has positions to point at.
            part = document.part("sources", index)
            options = {key: value for key, value in part.data.items() if key not in _SOURCE_KEYS}
            documents.validate(Document(part.file, options, part.positions), source.options)
        # A card's recipe states some fields only, so it is checked as the change of a whole one.
        for name, recipe in card.recipes.items():
            for column in recipe.model_fields_set & {"base", "large"}:
                part = document.part("recipes", name, column)
                owner = f"recipes.{name}.{column}"
                documents.validate(Document(part.file, part.data, part.positions, owner), Recipe)
        self._check_cards(card, document, is_neighbour)
        self._check_groups(card, document)

    def _check_cards(
        self, card: TaskCard, document: Document, is_neighbour: Callable[[str], bool]
    ) -> None:
        references: dict[KeyPath, str] = {
            ("train_on", index): name for index, name in enumerate(card.train_on)
        }
        if card.index is not None:
            references["index", "card"] = card.index.card
        for path, name in references.items():
            # A card that is checked before anything offers it is in no registry.
            if name != card.name and name not in self.cards.offers and not is_neighbour(name):
                raise document.error(
                    path,
                    f"there is no task card '{name}'",
                    hint=suggestion(name, {*self.cards, card.name}),
                )

    def _check_groups(self, card: TaskCard, document: Document) -> None:
        for index, name in enumerate(card.groups):
            if name not in self.groups.offers:
                raise document.error(
                    ("groups", index),
                    f"there is no group '{name}'",
                    hint=f"{suggestion(name, self.groups)}; a new group needs a title in "
                    "groups.yaml, in a folder of cards",
                )

    def _check_task_type(self, card: TaskCard, document: Document) -> None:
        task_type = _lookup(document, ("task_type",), self.task_types, card.task_type)
        _check_fields(card, document, task_type)
        _check_words(card, document, task_type.fields)
        for path, name in _metric_names(card):
            if name not in task_type.metrics:
                raise document.error(
                    path,
                    f"task type '{task_type.name}' has no metric '{name}'",
                    hint=suggestion(name, task_type.metrics),
                )
        searches = task_type.answered_by_search and task_type.indexed
        if searches and card.role == "target" and not card.index:
            raise document.error(
                (), f"task type '{task_type.name}' needs candidates: name an 'index'"
            )
        if card.metrics and task_type.metrics[card.metrics[0]].lower_is_better:
            scores = [
                name for name, metric in task_type.metrics.items() if not metric.lower_is_better
            ]
            raise document.error(
                ("metrics", 0),
                f"'{card.metrics[0]}' is lower where a model is better, and the first metric is "
                "the task's score",
                expected=f"first one of: {', '.join(scores)}",
            )


def _metric_names(card: TaskCard) -> Iterator[tuple[KeyPath, str]]:
    for index, name in enumerate(card.metrics):
        yield ("metrics", index), name
    for index, result in enumerate(card.published_results):
        yield ("published_results", index, "metric"), result.metric


def _check_fields(card: TaskCard, document: Document, task_type: TaskType) -> None:
    """Whether the card maps every field that the task type needs, and none that it lacks."""
    # What is answered by search says itself whether its items have ids of their own.
    names = {*task_type.fields} if task_type.answered_by_search else {*task_type.fields, "id"}
    for name in card.fields:
        if name not in names:
            raise document.error(
                ("fields", name), f"unknown field '{name}'", hint=suggestion(name, names)
            )
    for name, required in task_type.fields.items():
        if required and name not in card.fields:
            raise document.error(
                ("fields",),
                f"task type '{task_type.name}' needs '{name}'",
                hint=f"name the column that holds it: fields: {{{name}: COLUMN, …}}",
            )


def _check_words(card: TaskCard, document: Document, fields: Iterable[str]) -> None:
    """Whether the verbalizer's prompts name fields that the card maps and a model may see."""
    # A prompt that shows the answer would be scored as if the model had known it.
    visible = [name for name in fields if name in card.fields and name not in _ANSWER_FIELDS]
    for wording in card.verbalizer.wordings if card.verbalizer else ():
        for template in (wording.prompt or "", *wording.answers.values()):
            for name in re.findall(r"\{(\w+)\}", template):
                if name not in visible:
                    raise document.error(
                        ("verbalizer",),
                        f"'{{{name}}}' is no field that a prompt of '{card.name}' can show",
                        expected=", ".join(visible),
                    )


def _lookup(document: Document, path: KeyPath, registry: Registry[T], name: str) -> T:
    try:
        return registry[name]
    except ConfigurationError as error:
        raise document.error(path, error.what, hint=error.hint) from None
