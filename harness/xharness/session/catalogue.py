"""The catalogue as a user asks for it: installed plugins, further ones, and folders of cards."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from xharness.errors import ConfigurationError
from xharness.plugin import manager
from xharness.plugin.card_files import USERS_CARDS
from xharness.plugin.catalogue import Catalogue, CatalogueOrigin
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Plugins, Provider
from xharness.session.options import PathName


def open_catalogue(plugins: Iterable[object] = (), cards: Iterable[PathName] = ()) -> Catalogue:
    """Everything a study can name: from installed plugins, from `plugins`, and from card folders.

    A plugin is the name of a module, the path of a Python file, or an object with hooks.

    Raises:
        ConfigurationError: a plugin that cannot be loaded, or a folder that is not there.
    """
    offers, folders = [*plugins], [Path(folder) for folder in cards]
    loaded = manager.load(plugin for plugin in offers if isinstance(plugin, str))
    for plugin in offers:
        if not isinstance(plugin, str):
            add_plugin(loaded, plugin)
    for folder in folders:
        loaded.add(_CardFiles(_card_files(folder)), Provider(str(folder), USERS_CARDS))
    catalogue = Catalogue(loaded)
    names = [plugin for plugin in offers if isinstance(plugin, str)]
    if len(names) == len(offers):
        catalogue.origin = CatalogueOrigin(
            tuple(str(Path(name).resolve()) if name.endswith(".py") else name for name in names),
            tuple(folder.resolve() for folder in folders),
        )
    return catalogue


def add_plugin(plugins: Plugins, plugin: object) -> None:
    """Register an object with hooks: a module, or an instance of a class.

    Raises:
        ConfigurationError: it has a hook that does not exist, or is registered already.
    """
    name = getattr(plugin, "__name__", type(plugin).__name__)
    broken = len(plugins.broken)
    plugins.add(plugin, Provider(name, "Python"))
    if len(plugins.broken) > broken:
        raise ConfigurationError(plugins.broken[-1].reason, where=f"plugin '{name}'")


def warn_of_broken(plugins: Plugins) -> None:
    """Say on standard error which plugins are left out; each once."""
    for name, reason in dict.fromkeys(
        (str(plugin.provider), plugin.reason) for plugin in plugins.broken
    ):
        print(f"warning: plugin {name} is left out: {reason}", file=sys.stderr)


@dataclass(frozen=True)
class _CardFiles:
    """Card files that a user names, offered as plugins offer theirs."""

    files: tuple[Path, ...]

    @hookimpl
    def xharness_task_cards(self) -> Iterable[Traversable]:
        return self.files


def _card_files(folder: Path) -> tuple[Path, ...]:
    """The cards and groups in a folder and its subfolders, which may hold studies and boards, too.

    Raises:
        ConfigurationError: there is no such folder.
    """
    # An error, where a plugin's missing folder is only set aside: the user asked for this one.
    if not folder.exists():
        raise ConfigurationError("there is no such folder of cards", where=str(folder))
    yaml_files = [folder] if folder.is_file() else _yaml_files(folder)
    files = [file for file in yaml_files if _may_be_card(file)]
    if len(files) < len(yaml_files):
        example = next(file for file in yaml_files if file not in files)
        count = len(yaml_files) - len(files)
        nouns = "1 file is no card" if count == 1 else f"{count} files are no cards"
        print(f"cards of {folder}: {nouns} and left out, such as {example}", file=sys.stderr)
    return tuple(files)


def _yaml_files(folder: Path) -> list[Path]:
    # Hidden folders hold environments and repositories, which are large and no place for cards.
    return sorted(
        file
        for file in folder.rglob("*.yaml")
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )


def _may_be_card(file: Path) -> bool:
    """Whether it has the key that only cards have; a card that is broken elsewhere counts."""
    if file.name == "groups.yaml":
        return True
    text = file.read_text(encoding="utf-8", errors="replace")
    return re.search(r"""^\s*[{"']?\s*task_type["']?\s*:""", text, re.MULTILINE) is not None
