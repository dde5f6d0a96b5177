"""The catalogue: every name a user can write, and what it stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xharness.errors import ConfigurationError, suggestion
from xharness.plugin.api.backend import Backend
from xharness.plugin.api.executor import Executor
from xharness.plugin.api.source import Source
from xharness.plugin.api.strategy import Strategy
from xharness.plugin.api.tracker import Tracker
from xharness.plugin.api.translator import Translator
from xharness.plugin.card_checks import CardChecks
from xharness.plugin.card_files import (
    GROUPS_FILE,
    CardFile,
    CardFiles,
    Groups,
    folder_of,
    normal_spelling,
    yaml_files,
)
from xharness.plugin.manager import Plugins, Provider
from xharness.plugin.registry import Registry, offered
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document
from xharness.spec.examination import validate
from xharness.spec.groups import GroupMember, TaskGroup
from xharness.task_types.base import TaskType

# Others name a task in one language: `xnli_de`; `mlqa_de_de` where the question's stands, too.
_TASK_IN_LANGUAGE = re.compile(
    r"(?P<task>.+?)_(?P<language>[a-z]{2,3})(?:_(?P<question>[a-z]{2,3}))?"
)


@dataclass(frozen=True)
class CatalogueOrigin:
    """What a catalogue was opened with beside the installed plugins, so that it can be again."""

    plugins: tuple[str, ...]
    """Names of modules, and absolute paths of Python files."""
    cards: tuple[Path, ...]
    """Absolute paths of folders."""


class Catalogue:
    """Registries of task types, sources, backends, strategies, translators, executors, cards."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.origin: CatalogueOrigin | None = None
        """None where a plugin is an object, which another process cannot find."""
        self.task_types: Registry[TaskType] = offered(
            plugins, "task type", "xharness_task_types", TaskType
        )
        self.sources: Registry[Source] = offered(plugins, "source", "xharness_sources", Source)
        self.backends: Registry[Backend] = offered(plugins, "backend", "xharness_backends", Backend)
        self.strategies: Registry[Strategy] = offered(
            plugins, "strategy", "xharness_strategies", Strategy
        )
        self.translators: Registry[Translator] = offered(
            plugins, "translator", "xharness_translators", Translator
        )
        self.executors: Registry[Executor] = offered(
            plugins, "executor", "xharness_executors", Executor
        )
        self.trackers: Registry[Tracker] = offered(plugins, "tracker", "xharness_trackers", Tracker)
        self.card_files = CardFiles("task card")
        self._group_files: list[tuple[Provider, Traversable]] = []
        self._checked: dict[str, TaskCard] = {}
        for provider, offer in plugins.offers("xharness_task_cards"):
            try:
                self._add_files(offer, provider)
            except (Exception, SystemExit) as error:  # a stranger's resource can raise anything
                plugins.set_aside(provider, f"the cards of {offer!r}", error)

    def _add_files(self, offer: Any, provider: Provider) -> None:
        # Groups wait until all cards are known, whatever the order in which plugins load.
        for file in yaml_files(folder_of(offer)):
            if file.name == GROUPS_FILE:
                self._group_files.append((provider, file))
            else:
                self.card_files.read(file, provider)

    @cached_property
    def groups(self) -> Registry[TaskGroup]:
        """Named groups of tasks."""
        groups = Groups("group", cards=self.card_files)
        for provider, file in self._group_files:
            groups.read(file, provider)
        return groups

    @property
    def _checks(self) -> CardChecks:
        return CardChecks(self.task_types, self.sources, self.card_files, self.groups)

    def card(self, name: str) -> TaskCard:
        """The card of that name or alias, checked against all that it names.

        Raises:
            ConfigurationError: no such card, or one that cannot be right (file:line:column).
        """
        name = self.card_files.card_name(name) or name
        # On first use: hundreds of cards are offered, and a command needs a few of them.
        if name not in self._checked:
            self._checked[name] = self._checks.checked(self.card_files[name])
        return self._checked[name]

    def check_file(self, file: Traversable) -> TaskCard:
        """Check a card file that no plugin need offer; files around it count as cards.

        Raises:
            ConfigurationError: what is wrong and where.
        """
        # Not through the registry, which would take the file for a second offer of its name.
        return self._checks.checked(CardFile(file), lambda name: _is_neighbour(file, name))

    def task_name(self, name: str) -> str | None:
        """The card or the group that `name` stands for, however it is spelt; None if none does."""
        if name in self.groups.offers:
            return name
        spelling = normal_spelling(name)
        groups = (group for group in self.groups.offers if normal_spelling(group) == spelling)
        return self.card_files.card_name(name) or next(groups, None)

    def task_in_language(self, name: str) -> tuple[str, str | None] | None:
        """The card that `name` stands for and the language it names: `xnli_de` is XNLI in German.

        None where no card is meant; no language where `name` says none.
        """
        if (card := self.card_files.card_name(name)) is not None:
            return card, None
        parts = _TASK_IN_LANGUAGE.fullmatch(name)
        if parts is None or parts["question"] not in (None, parts["language"]):
            return None  # MLQA with question and context in two languages, say
        card = self.card_files.card_name(parts["task"])
        return None if card is None else (card, parts["language"])

    def members(self, name: str) -> tuple[GroupMember, ...]:
        """What `name` stands for: a group's members, or one card, in all languages or in one.

        Raises:
            ConfigurationError: it stands for nothing.
        """
        if (group := self.task_name(name)) in self.groups.offers:
            return self.groups[str(group)].tasks
        card, language = self.task_in_language(name) or (None, None)
        if card is None or language not in (None, *self.card(card).languages):
            names = [*self.card_files, *self.groups]
            raise ConfigurationError(
                f"there is no task card or group '{name}'", hint=suggestion(name, names)
            )
        return (GroupMember(task=card, languages=(language,) if language else None),)


def _is_neighbour(file: Traversable, name: str) -> bool:
    """Whether a card `name` lies in the file's folder, or in a folder next to that one."""
    if not isinstance(file, Path):
        return False
    # Repositories have their cards in folders by role: what a card names is often next door.
    folder = file.resolve().parent
    paths = (folder / f"{name}.yaml", *folder.parent.glob(f"*/{name}.yaml"))
    return any(path.is_file() for path in paths)


def validated(
    model: type[BaseModel], options: dict[str, Any], owner: str, part: Document | None = None
) -> Any:
    """Options a plugin asked for, checked; `owner` says whose they are.

    With the `part` of the document they stand in, mistakes are told with their line.

    Raises:
        ConfigurationError: an unknown or impossible option.
    """
    if part is None:
        # A document without positions: errors name the owner where they would name file and line.
        return validate(Document(owner, options, {}), model)
    return validate(Document(part.file, options, part.positions, owner), model)


def option_error(
    part: Document | None, owner: str, value: str, message: str, hint: str
) -> ConfigurationError:
    """An error about the option of `owner` that is `value`, with its line where there is a file."""
    if part is None:
        return ConfigurationError(message, where=owner, hint=hint)
    document = Document(part.file, part.data, part.positions, owner)
    return document.error(document.path_of(value) or (), message, hint=hint)
