"""Card files and the groups that they make up; each file is read on first use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from xharness.errors import ConfigurationError, suggestion
from xharness.phrases import listed
from xharness.plugin.manager import Provider
from xharness.plugin.registry import Registry
from xharness.spec import documents
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document
from xharness.spec.examination import Examination, examine, validate
from xharness.spec.groups import TaskGroup, TaskGroups

GROUPS_FILE = "groups.yaml"
USERS_CARDS = "--cards"
"""What cards of folders that a user names come in, in place of a distribution."""
_GROUPS_KEY = re.compile(r"^groups:", re.MULTILINE)
_SEPARATORS = re.compile(r"[-_. ]")
_ALIASES_KEY = re.compile(r"^aliases:", re.MULTILINE)


@dataclass
class CardFile:
    """A card's file."""

    file: Traversable

    @cached_property
    def document(self) -> Document:
        """The YAML in it."""
        return documents.read(self.file, str(self.file))

    @cached_property
    def examination(self) -> Examination[TaskCard]:
        """What the YAML is as a card, and what is wrong in it."""
        examination = examine(self.document, TaskCard)
        name = examination.data.get("name") if isinstance(examination.data, dict) else None
        stem = self.file.name.removesuffix(".yaml")
        if not isinstance(name, str) or name == stem:
            return examination
        error = self.document.error(
            ("name",), f"'{name}' must equal the file's name", expected=f"'{stem}'"
        )
        return replace(examination, problems=(*examination.problems, str(error)))

    @property
    def card(self) -> TaskCard:
        """The card in it, not yet checked against the task type and sources that it names."""
        return self.examination.sound_value()

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups that the card says it is in."""
        # Most cards name none; reading them all in full would cost half a second.
        return self.card.groups if _GROUPS_KEY.search(_text(self.file)) else ()

    @cached_property
    def aliases(self) -> tuple[str, ...]:
        """What others call the task; none of a card that is broken, whose own name still tells."""
        if _ALIASES_KEY.search(_text(self.file)):
            with suppress(ConfigurationError):
                return self.card.aliases
        return ()


class CardFiles(Registry[CardFile]):
    """Card files by the name of their card, which is the file's name too."""

    def read(self, file: Traversable, provider: Provider) -> None:
        """Add the card in `file`, whose name is the card's."""
        self.register(file.name.removesuffix(".yaml"), provider, CardFile(file))

    def ambiguous(self, name: str) -> ConfigurationError:
        """The error about a name that two files have, in one folder or from two plugins."""
        offers = self.offers[name]
        providers = list(dict.fromkeys(str(provider) for provider, _ in offers))
        own_files = [
            str(offer.file) for provider, offer in offers if provider.distribution == USERS_CARDS
        ]
        if len(providers) == 1 or len(own_files) == len(offers):
            files = listed(str(offer.file) for _, offer in offers)
            return ConfigurationError(
                f"{self.noun} '{name}' stands in two files: {files}",
                hint="rename one of them, and the 'name' in it, or take it out of the folder",
            )
        if not own_files:
            return super().ambiguous(name)
        # Others are not the user's to uninstall or rename.
        return ConfigurationError(
            f"{self.noun} '{name}' is offered by {listed(providers)}",
            hint=f"rename {listed(own_files)}, and the 'name' in it",
        )

    def card_name(self, name: str) -> str | None:
        """The card that `name` stands for: its own name, an alias, or either spelt otherwise.

        Raises:
            ConfigurationError: an alias that two cards have.
        """
        if name in self.offers:
            return name
        spelling = normal_spelling(name)
        cards = [card for card in self.offers if normal_spelling(card) == spelling] or [
            card
            for card, offers in self.offers.items()
            if spelling in map(normal_spelling, offers[0][1].aliases)
        ]
        if len(cards) > 1:
            raise ConfigurationError(
                f"'{name}' may be any of {len(cards)} cards: {', '.join(sorted(cards))}",
                hint="name the card itself",
            )
        return cards[0] if cards else None

    def in_group(self, name: str) -> list[str]:
        """The cards that say they are in that group."""
        return [card for card, offers in self.offers.items() if name in offers[0][1].groups]


@dataclass
class Groups(Registry[TaskGroup]):
    """Groups by name; members, and a card of the same name, are looked up on first use."""

    cards: CardFiles = field(default_factory=lambda: CardFiles("task card"))
    documents: dict[str, Document] = field(default_factory=dict)

    def read(self, file: Traversable, provider: Provider) -> None:
        """Add the groups in `file`."""
        document = documents.read(file, str(file))
        for name, group in validate(document, TaskGroups).groups.items():
            self.register(name, provider, group)
            self.documents[name] = document

    def __getitem__(self, name: str) -> TaskGroup:
        """The group, with the tasks whose cards name it.

        Raises:
            ConfigurationError: no such group, a card of the same name, or a task that is no card.
        """
        provider, group = self._only(name)
        document = self.documents[name]
        # `targets:` takes either, so a name of both could mean one task or many.
        if name in self.cards.offers:
            raise ConfigurationError(
                f"'{name}' is a group offered by {provider}, "
                f"and a task card offered by {self.cards.provider(name)}",
                hint="rename one of them",
            )
        for index, member in enumerate(group.tasks):
            if member.task not in self.cards.offers:
                raise document.error(
                    ("groups", name, "tasks", index),
                    f"there is no task card '{member.task}'",
                    hint=suggestion(member.task, self.cards),
                )
        try:
            return group.with_members(self.cards.in_group(name))
        except ValueError as error:
            raise document.error(("groups", name), str(error)) from None


def normal_spelling(name: str) -> str:
    """A name without what people spell differently: `PAN-X` and `panx` are one."""
    return _SEPARATORS.sub("", name.strip()).casefold()


def builtin_folder() -> Traversable:
    """`task_cards/`: inside the package in a wheel, at the repository's root when editable."""
    # A build copies the folder into the package; an editable install leaves it where it is.
    packaged = files("xharness").joinpath("task_cards")
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "task_cards"


def yaml_files(folder: Traversable) -> Iterator[Traversable]:
    """The YAML files in a folder and below it, in the order of their names; or the one file."""
    if folder.is_dir():
        for inner in sorted(folder.iterdir(), key=lambda path: path.name):
            yield from yaml_files(inner)
    elif folder.name.endswith(".yaml"):
        yield folder


def folder_of(offer: Any) -> Traversable:
    """Where a plugin says that its cards are.

    Raises:
        FileNotFoundError: there is nothing.
        TypeError: it is neither a path nor a resource.
    """
    folder = Path(offer) if isinstance(offer, str) else offer
    if not isinstance(folder, Traversable):
        raise TypeError("not a file or folder")
    if not folder.is_dir() and not folder.is_file():
        raise FileNotFoundError("there is no such file or folder")
    return folder


def _text(file: Traversable) -> str:
    """The text of `file`, whatever is wrong with it: its errors are those of reading the card."""
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return ""
