"""The catalogue as a user asks for it: installed plugins, further ones, and folders of cards."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from xharness.errors import ConfigurationError
from xharness.plugin import manager
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Plugins, Provider
from xharness.session.options import PathName


def open_catalogue(plugins: Iterable[object] = (), cards: Iterable[PathName] = ()) -> Catalogue:
    """Everything a study can name: from installed plugins, from `plugins`, and from card folders.

    A plugin is the name of a module, the path of a Python file, or an object with hooks.

    Raises:
        ConfigurationError: a plugin that cannot be loaded, or a folder that is not there.
    """
    offers = [*plugins]
    loaded = manager.load(plugin for plugin in offers if isinstance(plugin, str))
    for plugin in offers:
        if not isinstance(plugin, str):
            add_plugin(loaded, plugin)
    for folder in map(Path, cards):
        if not folder.exists():
            raise ConfigurationError("there is no such folder of cards", where=str(folder))
        loaded.add(_CardFolder(folder), Provider(str(folder), "--cards"))
    return Catalogue(loaded)


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
class _CardFolder:
    """A folder of cards that a user names, offered as plugins offer theirs."""

    folder: Path

    @hookimpl
    def xharness_task_cards(self) -> Iterable[Traversable]:
        return [self.folder]
