"""The catalogue: every name a user can write, and what it stands for.

Each noun has a shelf. An unknown name answers with the nearest known one; a name that two plugins
offer answers with both of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from xharness import documents
from xharness.cards import Groups, Suite, TaskCard
from xharness.documents import Document
from xharness.errors import ConfigurationError, suggestion
from xharness.extend import Backend, Executor, Kind, Source, Strategy
from xharness.plugins import Plugins, Provider

T = TypeVar("T")


@dataclass
class Shelf(Generic[T]):
    """Offers of one noun by name."""

    noun: str
    offers: dict[str, list[tuple[Provider, T]]] = field(default_factory=dict)

    def put(self, name: str, provider: Provider, item: T) -> None:
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


class Catalogue:
    """Shelves of kinds, sources, backends, strategies, executors and cards."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.kinds: Shelf[Kind] = self._shelf("kind", "xharness_kinds")
        self.sources: Shelf[Source] = self._shelf("source", "xharness_sources")
        self.backends: Shelf[Backend] = self._shelf("backend", "xharness_backends")
        self.strategies: Shelf[Strategy] = self._shelf("strategy", "xharness_strategies")
        self.executors: Shelf[Executor] = self._shelf("executor", "xharness_executors")
        self.card_files: Shelf[_CardFile] = Shelf("task card")
        self._group_files: list[Traversable] = []
        self._checked: dict[str, TaskCard] = {}
        for provider, folder in plugins.offers("xharness_task_cards"):
            self._shelve_cards(folder, provider)

    def _shelf(self, noun: str, hook: str) -> Shelf[Any]:
        shelf: Shelf[Any] = Shelf(noun)
        for provider, offer in self.plugins.offers(hook):
            shelf.put(offer.name, provider, offer)
        return shelf

    def _shelve_cards(self, place: Traversable, provider: Provider) -> None:
        if place.is_dir():
            for inner in sorted(place.iterdir(), key=lambda one: one.name):
                self._shelve_cards(inner, provider)
        elif place.name == "groups.yaml":
            self._group_files.append(place)
        elif place.name.endswith(".yaml"):
            name = place.name.removesuffix(".yaml")
            self.card_files.put(name, provider, _CardFile(place))

    @cached_property
    def groups(self) -> dict[str, Suite]:
        """Named groups of tasks."""
        found: dict[str, Suite] = {}
        for file in self._group_files:
            document = documents.read(file, str(file))
            found |= documents.validate(document, Groups).groups
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
        self._check(one.card, one.document)
        return one.card

    def tasks(self, name: str) -> tuple[str, ...]:
        """The cards that `name` stands for: a group's members, or the one card."""
        if name in self.groups:
            return self.groups[name].tasks
        if name not in self.card_files.offers:
            known = [*self.card_files, *self.groups]
            raise ConfigurationError(
                f"there is no task card or group '{name}'", hint=suggestion(name, known)
            )
        return (name,)

    def _check(self, card: TaskCard, document: Document) -> None:
        kind = _at(document, ("kind",), self.kinds, card.kind)
        _check_names(document, "fields", card.fields, kind.fields, whole=kind.whole)
        for field_name, required in kind.fields.items():
            if required and field_name not in card.fields:
                raise document.error(("fields",), f"kind '{kind.name}' needs '{field_name}'")
        for place, metric in enumerate(card.metrics):
            if metric not in kind.metrics:
                hint = suggestion(metric, kind.metrics)
                raise document.error(
                    ("metrics", place), f"kind '{kind.name}' has no metric '{metric}'", hint=hint
                )
        for place, spec in enumerate(card.sources):
            source = _at(document, ("sources", place, "from"), self.sources, spec.source)
            part = document.part("sources", place)
            known = {"from", "languages", "codes", "splits", "where"}
            own = {key: value for key, value in part.data.items() if key not in known}
            documents.validate(Document(part.file, own, part.places), source.options)


def _at(document: Document, path: documents.KeyPath, shelf: Shelf[T], name: str) -> T:
    try:
        return shelf[name]
    except ConfigurationError as error:
        raise document.error(path, error.what, hint=error.hint) from None


def _check_names(
    document: Document, key: str, given: Iterable[str], known: Iterable[str], *, whole: bool
) -> None:
    allowed = {*known} if whole else {*known, "id"}
    for name in given:
        if name not in allowed:
            raise document.error(
                (key, name), f"unknown field '{name}'", hint=suggestion(name, allowed)
            )


def validated(model: type[BaseModel], options: dict[str, Any], where: str) -> Any:
    """Options a plugin asked for, checked; `where` says whose they are.

    Raises:
        ConfigurationError: an unknown or impossible option.
    """
    return documents.validate(Document(where, options, {}), model)
