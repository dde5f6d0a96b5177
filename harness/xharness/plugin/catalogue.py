"""The catalogue: every name a user can write, and what it stands for.

Each noun has a shelf. An unknown name answers with the nearest known one; a name that two plugins
offer answers with both of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from xharness.errors import ConfigurationError, suggestion
from xharness.plugin.api import Backend, Executor, Source, Strategy, TaskType, Translator
from xharness.plugin.manager import Plugins, Provider
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document
from xharness.spec.groups import GroupMember, TaskGroup, TaskGroups
from xharness.spec.recipe import Recipe
from xharness.spec.sources import SourceSpec

T = TypeVar("T")

_COMMON = {field.alias or name for name, field in SourceSpec.model_fields.items()}
"""What every source's part of a card may say; the rest is for the source itself."""


@dataclass
class Registry(Generic[T]):
    """Offers of one noun by name."""

    noun: str
    offers: dict[str, list[tuple[Provider, T]]] = field(default_factory=dict)

    def register(self, name: str, provider: Provider, item: T) -> None:
        self.offers.setdefault(name, []).append((provider, item))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.offers))

    def __getitem__(self, name: str) -> T:
        """The one offer of that name.

        Raises:
            ConfigurationError: unknown, or offered by more than one plugin.
        """
        return self._one(name)[1]

    def provider(self, name: str) -> Provider:
        """Who offers `name`."""
        return self._one(name)[0]

    def _one(self, name: str) -> tuple[Provider, T]:
        found = self.offers.get(name, [])
        if len(found) == 1:
            return found[0]
        if not found:
            raise ConfigurationError(
                f"there is no {self.noun} '{name}'", hint=suggestion(name, self.offers)
            )
        both = " and ".join(str(provider) for provider, _ in found)
        raise ConfigurationError(
            f"{self.noun} '{name}' is offered by {both}", hint="uninstall or rename one of them"
        )


@dataclass
class _CardFile:
    """A card's file, read when somebody asks for it."""

    file: Traversable

    @cached_property
    def document(self) -> Document:
        return documents.read(self.file, str(self.file))

    @cached_property
    def card(self) -> TaskCard:
        card = documents.validate(self.document, TaskCard)
        stem = self.file.name.removesuffix(".yaml")
        if card.name != stem:
            raise self.document.error(
                ("name",), f"'{card.name}' must equal the file's name", expected=f"'{stem}'"
            )
        return card


@dataclass
class _Groups(Registry[TaskGroup]):
    """Groups by name; members, and a card of the same name, are looked up when one is asked for."""

    cards: Registry[_CardFile] = field(default_factory=lambda: Registry("task card"))
    documents: dict[str, Document] = field(default_factory=dict)

    def read(self, file: Traversable, provider: Provider) -> None:
        document = documents.read(file, str(file))
        for name, suite in documents.validate(document, TaskGroups).groups.items():
            self.register(name, provider, suite)
            self.documents[name] = document

    def __getitem__(self, name: str) -> TaskGroup:
        provider, suite = self._one(name)
        if name in self.cards.offers:
            raise ConfigurationError(
                f"'{name}' is a group offered by {provider}, "
                f"and a task card offered by {self.cards.provider(name)}",
                hint="rename one of them",
            )
        for place, member in enumerate(suite.tasks):
            if member.task not in self.cards.offers:
                raise self.documents[name].error(
                    ("groups", name, "tasks", place),
                    f"there is no task card '{member.task}'",
                    hint=suggestion(member.task, self.cards),
                )
        return suite


class Catalogue:
    """Shelves of kinds, sources, backends, strategies, translators, executors and cards."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.task_types: Registry[TaskType] = self._shelf(
            "task_type", "xharness_task_types", TaskType
        )
        self.sources: Registry[Source] = self._shelf("source", "xharness_sources", Source)
        self.backends: Registry[Backend] = self._shelf("backend", "xharness_backends", Backend)
        self.strategies: Registry[Strategy]
        self.strategies = self._shelf("strategy", "xharness_strategies", Strategy)
        self.translators: Registry[Translator]
        self.translators = self._shelf("translator", "xharness_translators", Translator)
        self.executors: Registry[Executor] = self._shelf("executor", "xharness_executors", Executor)
        self.card_files: Registry[_CardFile] = Registry("task card")
        self._group_files: list[tuple[Provider, Traversable]] = []
        self._checked: dict[str, TaskCard] = {}
        for provider, folder in plugins.offers("xharness_task_cards"):
            try:
                self._shelve_cards(_place(folder), provider)
            except (Exception, SystemExit) as error:
                plugins.set_aside(provider, f"the cards of {folder!r}", error)

    def _shelf(self, noun: str, hook: str, base: type) -> Registry[Any]:
        shelf: Registry[Any] = Registry(noun)
        for provider, offer in self.plugins.offers(hook):
            try:
                name = _name(offer, noun)
                _check_offer(offer, f"{noun} '{name}'", base)
                shelf.register(name, provider, offer)
            except (Exception, SystemExit) as error:
                self.plugins.set_aside(provider, hook, error)
        return shelf

    def _shelve_cards(self, place: Traversable, provider: Provider) -> None:
        if place.is_dir():
            for inner in sorted(place.iterdir(), key=lambda one: one.name):
                self._shelve_cards(inner, provider)
        elif place.name == "groups.yaml":
            self._group_files.append((provider, place))
        elif place.name.endswith(".yaml"):
            name = place.name.removesuffix(".yaml")
            self.card_files.register(name, provider, _CardFile(place))

    @cached_property
    def groups(self) -> Registry[TaskGroup]:
        """Named groups of tasks."""
        found = _Groups("group", cards=self.card_files)
        for provider, file in self._group_files:
            found.read(file, provider)
        return found

    def card(self, name: str) -> TaskCard:
        """The card of that name, checked against the kinds and sources it uses.

        Raises:
            ConfigurationError: no such card, or one that cannot be right (file:line:column).
        """
        if name not in self._checked:
            file = self.card_files[name]
            self._check(file.card, file.document)
            self._checked[name] = file.card
        return self._checked[name]

    def check_file(self, file: Traversable) -> TaskCard:
        """Check a card file that need not be on the shelf.

        Raises:
            ConfigurationError: what is wrong and where.
        """
        one = _CardFile(file)
        self._check(one.card, one.document, lambda name: _beside(file, name))
        return one.card

    def members(self, name: str) -> tuple[GroupMember, ...]:
        """What `name` stands for: a group's members, or the one card in all its languages."""
        if name in self.groups.offers:
            return self.groups[name].tasks
        if name not in self.card_files.offers:
            known = [*self.card_files, *self.groups]
            raise ConfigurationError(
                f"there is no task card or group '{name}'", hint=suggestion(name, known)
            )
        return (GroupMember(task=name),)

    def _check(
        self,
        card: TaskCard,
        document: Document,
        beside: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self._check_kind(card, document)
        for place, spec in enumerate(card.sources):
            source = _at(document, ("sources", place, "from"), self.sources, spec.source)
            part = document.part("sources", place)
            own = {key: value for key, value in part.data.items() if key not in _COMMON}
            documents.validate(Document(part.file, own, part.positions), source.options)
        for name, recipe in card.recipes.items():
            for column in recipe.model_fields_set & {"base", "large"}:
                part = document.part("recipes", name, column)
                whose = f"recipes.{name}.{column}"
                documents.validate(Document(part.file, part.data, part.positions, whose), Recipe)
        named: dict[documents.KeyPath, str] = {
            ("train_on", place): name for place, name in enumerate(card.train_on)
        }
        if card.index is not None:
            named["index", "card"] = card.index.card
        for path, name in named.items():
            if name != card.name and name not in self.card_files.offers and not beside(name):
                raise document.error(
                    path,
                    f"there is no task card '{name}'",
                    hint=suggestion(name, {*self.card_files, card.name}),
                )

    def _check_kind(self, card: TaskCard, document: Document) -> None:
        kind = _at(document, ("task_type",), self.task_types, card.task_type)
        _check_names(document, "fields", card.fields, kind.fields, whole=kind.answered_by_search)
        for field_name, required in kind.fields.items():
            if required and field_name not in card.fields:
                raise document.error(("fields",), f"kind '{kind.name}' needs '{field_name}'")
        _check_words(card, document, kind.fields)
        named: list[tuple[documents.KeyPath, str]] = [
            *((("metrics", place), name) for place, name in enumerate(card.metrics)),
            *(
                (("reference", place, "metric"), one.metric)
                for place, one in enumerate(card.published_results)
            ),
        ]
        for path, name in named:
            if name not in kind.metrics:
                hint = suggestion(name, kind.metrics)
                raise document.error(path, f"kind '{kind.name}' has no metric '{name}'", hint=hint)
        if kind.answered_by_search and kind.indexed and card.role == "target" and not card.index:
            raise document.error((), f"kind '{kind.name}' needs candidates: name an 'index'")
        if card.metrics and kind.metrics[card.metrics[0]].lower_is_better:
            better = ", ".join(one for one in kind.metrics if not kind.metrics[one].lower_is_better)
            raise document.error(
                ("metrics", 0),
                f"'{card.metrics[0]}' is lower where a model is better, and the first metric is "
                "the task's score",
                expected=f"first one of: {better}",
            )


def _place(offer: Any) -> Traversable:
    """Where cards are, as a plugin says it.

    Raises:
        FileNotFoundError: there is nothing.
        TypeError: it is not a place.
    """
    place = Path(offer) if isinstance(offer, str) else offer
    if not isinstance(place, Traversable):
        raise TypeError("not a file or folder")
    if not place.is_dir() and not place.is_file():
        raise FileNotFoundError("there is no such file or folder")
    return place


def _name(offer: Any, noun: str) -> str:
    name = getattr(offer, "name", None)
    if not isinstance(name, str) or not name:
        raise TypeError(f"{offer!r} is no {noun}: it has no 'name' that is text")
    return name


def _check_offer(offer: Any, who: str, base: type) -> None:
    """Whether `offer` is an instance of its noun's base class, and says all that has no default.

    Raises:
        TypeError: it is a class, none of that base, or lacks an attribute.
    """
    if isinstance(offer, type):
        raise TypeError(f"{who} is a class: offer an instance, {offer.__name__}()")
    if not isinstance(offer, base):
        raise TypeError(
            f"{who} is no {base.__name__}: derive its class from xharness.{base.__name__}"
        )
    lacking = [f"'{name}'" for name in base.__annotations__ if not hasattr(offer, name)]
    if lacking:
        raise TypeError(f"{who} lacks {', '.join(lacking)}")


def _beside(file: Traversable, name: str) -> bool:
    """Whether a card `name` lies in the file's folder, or in a folder beside that one."""
    if not isinstance(file, Path):
        return False
    folder = file.resolve().parent
    places = (folder / f"{name}.yaml", *folder.parent.glob(f"*/{name}.yaml"))
    return any(place.is_file() for place in places)


def _at(document: Document, path: documents.KeyPath, shelf: Registry[T], name: str) -> T:
    try:
        return shelf[name]
    except ConfigurationError as error:
        raise document.error(path, error.what, hint=error.hint) from None


_ANSWERS = frozenset({"label", "labels", "answers", "choices", "tags"})
"""Fields that hold what is to be answered: a prompt must not."""


def _check_words(card: TaskCard, document: Document, fields: Iterable[str]) -> None:
    """Whether the verbaliser's prompts name fields that the card maps and a model may see."""
    known = [name for name in fields if name in card.fields and name not in _ANSWERS]
    spoken = card.verbalizer
    for wording in spoken.wordings if spoken else ():
        for template in (wording.prompt or "", *wording.answers.values()):
            for name in re.findall(r"\{(\w+)\}", template):
                if name not in known:
                    raise document.error(
                        ("verbalizer",),
                        f"'{{{name}}}' is no field that a prompt of '{card.name}' can show",
                        expected=", ".join(known),
                    )


def _check_names(
    document: Document, key: str, given: Iterable[str], known: Iterable[str], *, whole: bool
) -> None:
    allowed = {*known} if whole else {*known, "id"}
    for name in given:
        if name not in allowed:
            raise document.error(
                (key, name), f"unknown field '{name}'", hint=suggestion(name, allowed)
            )


def validated(
    model: type[BaseModel], options: dict[str, Any], where: str, part: Document | None = None
) -> Any:
    """Options a plugin asked for, checked; `where` says whose they are.

    With the `part` of the document they stand in, mistakes are told with their line.

    Raises:
        ConfigurationError: an unknown or impossible option.
    """
    if part is None:
        return documents.validate(Document(where, options, {}), model)
    return documents.validate(Document(part.file, options, part.positions, where), model)
