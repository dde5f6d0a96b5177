"""Whether a card is right together with all that it names: task type, sources, cards, groups."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from xharness.errors import ConfigurationError, nearest, raise_all, suggestion
from xharness.plugin.api.source import Source
from xharness.plugin.card_files import CardFile, CardFiles
from xharness.plugin.registry import Registry
from xharness.spec.cards import TaskCard, sound_parts
from xharness.spec.documents import Document
from xharness.spec.examination import examine
from xharness.spec.groups import TaskGroup
from xharness.spec.recipe import Recipe
from xharness.spec.sources import SourceSpec
from xharness.spec.yaml_nodes import KeyPath
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

    def checked(
        self, file: CardFile, is_neighbour: Callable[[str], bool] = lambda name: False
    ) -> TaskCard:
        """The card in `file`; `is_neighbour` knows cards of no registry.

        Raises:
            ConfigurationError: all that is wrong, each with its line.
        """
        examination = file.examination
        errors = [*map(ConfigurationError, examination.problems)]
        wrong_keys = {str(path[0]) for path in examination.wrong_paths if path}
        if errors:
            card, document = sound_parts(file.document, examination)
        else:
            card, document = examination.sound_value(), file.document
        if isinstance(examination.data, dict):
            # What nobody could read is not looked at: it might be anything.
            for keys, check in self._checks(card, document, is_neighbour):
                errors += () if keys & wrong_keys else check()
        raise_all(errors)
        return card

    def _checks(
        self, card: TaskCard, document: Document, is_neighbour: Callable[[str], bool]
    ) -> Iterator[tuple[set[str], Callable[[], Iterable[ConfigurationError]]]]:
        """Each check with the keys of the card that it reads."""
        task_type = _entry(self.task_types, card.task_type)
        if isinstance(task_type, ConfigurationError):
            error = document.error(("task_type",), task_type.what, hint=task_type.hint)
            yield {"task_type"}, lambda: [error]
        else:
            yield {"fields"}, lambda: _field_errors(card, document, task_type)
            yield {"fields", "verbalizer"}, lambda: _word_errors(card, document, task_type.fields)
            yield {"metrics"}, lambda: _metric_errors(card, document, task_type)
            yield {"role", "index"}, lambda: _index_errors(card, document, task_type)
        yield set(), lambda: self._source_errors(card, document)
        yield {"recipes"}, lambda: _recipe_errors(card, document)
        yield {"name"}, lambda: self._card_errors(card, document, is_neighbour)
        yield set(), lambda: self._group_errors(card, document)

    def _source_errors(self, card: TaskCard, document: Document) -> Iterator[ConfigurationError]:
        for index, spec in enumerate(card.sources):
            source = _entry(self.sources, spec.source)
            if isinstance(source, ConfigurationError):
                yield document.error(("sources", index, "from"), source.what, hint=source.hint)
                continue
            # As it was written, not as it was read: only that has positions to point at.
            part = document.part("sources", index)
            options = {key: value for key, value in part.data.items() if key not in _SOURCE_KEYS}
            yield from _problems(Document(part.file, options, part.positions), source.options)

    def _card_errors(
        self, card: TaskCard, document: Document, is_neighbour: Callable[[str], bool]
    ) -> Iterator[ConfigurationError]:
        references: dict[KeyPath, str] = {
            ("train_on", index): name for index, name in enumerate(card.train_on)
        }
        if card.index is not None:
            references["index", "card"] = card.index.card
        if card.source_score_from is not None:
            references[("source_score_from",)] = card.source_score_from
        for path, name in references.items():
            # A card that is checked before anything offers it is in no registry.
            if name != card.name and name not in self.cards.offers and not is_neighbour(name):
                yield document.error(
                    path,
                    f"there is no task card '{name}'",
                    hint=suggestion(name, {*self.cards, card.name}),
                )

    def _group_errors(self, card: TaskCard, document: Document) -> Iterator[ConfigurationError]:
        for index, name in enumerate(card.groups):
            if name not in self.groups.offers:
                yield document.error(
                    ("groups", index),
                    f"there is no group '{name}'",
                    hint=f"{suggestion(name, self.groups)}; a new group needs a title in "
                    "groups.yaml, in a folder of cards",
                )


def _recipe_errors(card: TaskCard, document: Document) -> Iterator[ConfigurationError]:
    # A card's recipe states some fields only, so it is checked as the change of a whole one.
    for name, recipe in card.recipes.items():
        for column in recipe.model_fields_set & {"base", "large"}:
            part = document.part("recipes", name, column)
            owner = f"recipes.{name}.{column}"
            yield from _problems(Document(part.file, part.data, part.positions, owner), Recipe)


def _problems(document: Document, model: type[BaseModel]) -> Iterator[ConfigurationError]:
    return map(ConfigurationError, examine(document, model).problems)


def _index_errors(
    card: TaskCard, document: Document, task_type: TaskType
) -> Iterator[ConfigurationError]:
    searches = task_type.answered_by_search and task_type.indexed
    if searches and card.role == "target" and not card.index:
        yield document.error((), f"task type '{task_type.name}' needs candidates: name an 'index'")


def _metric_errors(
    card: TaskCard, document: Document, task_type: TaskType
) -> Iterator[ConfigurationError]:
    metrics = task_type.metrics
    for path, name in _metric_names(card):
        if name not in metrics:
            yield document.error(
                path,
                f"task type '{task_type.name}' has no metric '{name}'",
                hint=suggestion(name, metrics),
            )
    first = metrics.get(card.metrics[0]) if card.metrics else None
    if first is not None and first.lower_is_better:
        scores = [name for name, metric in metrics.items() if not metric.lower_is_better]
        yield document.error(
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


def _field_errors(
    card: TaskCard, document: Document, task_type: TaskType
) -> Iterator[ConfigurationError]:
    """Whether the card maps every field that the task type needs, and none that it lacks."""
    # What is answered by search says itself whether its items have ids of their own.
    names = {*task_type.fields} if task_type.answered_by_search else {*task_type.fields, "id"}
    unknown_names = [name for name in card.fields if name not in names]
    for name in unknown_names:
        yield document.error(
            ("fields", name), f"unknown field '{name}'", hint=suggestion(name, names)
        )
    # What is misspelt is told once: it is the field that would be missing.
    misspelt_names = {nearest(name, names) for name in unknown_names}
    for name, required in task_type.fields.items():
        if required and name not in {*card.fields, *misspelt_names}:
            yield document.error(
                ("fields",),
                f"task type '{task_type.name}' needs '{name}'",
                hint=f"name the column that holds it: fields: {{{name}: COLUMN, …}}",
            )


def _word_errors(
    card: TaskCard, document: Document, fields: Iterable[str]
) -> Iterator[ConfigurationError]:
    """Whether the verbalizer's prompts name fields that the card maps and a model may see."""
    # A prompt that shows the answer would be scored as if the model had known it.
    visible = [name for name in fields if name in card.fields and name not in _ANSWER_FIELDS]
    for wording in card.verbalizer.wordings if card.verbalizer else ():
        for template in (wording.prompt or "", *wording.answers.values()):
            for name in re.findall(r"\{(\w+)\}", template):
                if name not in visible:
                    yield document.error(
                        ("verbalizer",),
                        f"'{{{name}}}' is no field that a prompt of '{card.name}' can show",
                        expected=", ".join(visible),
                    )


def _entry(registry: Registry[T], name: str) -> T | ConfigurationError:
    """What `name` stands for in `registry`, or why it stands for nothing there."""
    try:
        return registry[name]
    except ConfigurationError as error:
        return error
