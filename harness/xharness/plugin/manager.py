"""Finds plugins, loads them, and keeps each offer's provider.

Plugins come through the entry-point group `xharness` and from the command line. One that fails to
import is set aside with its reason; it never takes the others down.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from xharness.errors import ConfigurationError, suggestion
from xharness.plugin import hookspecs

GROUP = "xharness"


@dataclass(frozen=True)
class Provider:
    """Who offers something: a plugin and the distribution it came in."""

    plugin: str
    distribution: str | None = None

    def __str__(self) -> str:
        return f"{self.plugin} ({self.distribution})" if self.distribution else self.plugin


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin that could not be used, and why."""

    provider: Provider
    reason: str


@dataclass
class Plugins:
    """The plugins that loaded, and those that did not."""

    manager: pluggy.PluginManager
    providers: dict[str, Provider] = field(default_factory=dict)
    broken: list[BrokenPlugin] = field(default_factory=list)

    def offers(self, hook: str) -> Iterator[tuple[Provider, Any]]:
        """(provider, offer) for everything that plugins return from the noun `hook`."""
        # One by one: a call of the hook would mix all offers, without their givers, and end at the
        # first plugin that raises.
        for impl in getattr(self.manager.hook, hook).get_hookimpls():
            provider = self.providers[impl.plugin_name]
            try:
                offers = impl.function() or ()
                # A lone path is a likely slip, and would be taken for a list of letters.
                if isinstance(offers, str | bytes) or not isinstance(offers, Iterable):
                    raise TypeError(f"must return a list of offers, not {offers!r}")
                yield from ((provider, offer) for offer in offers)
            except (Exception, SystemExit) as error:  # a stranger's code can raise anything
                self.set_aside(provider, hook, error)

    def set_aside(self, provider: Provider, part: str, error: BaseException) -> None:
        """Note that a part of a plugin, such as one of its hooks, cannot be used."""
        self.broken.append(BrokenPlugin(provider, f"{part}: {summary(error)}"))

    def add(self, plugin: object, provider: Provider) -> None:
        """Register a plugin object; a hook it misspells or mis-declares is its load error."""
        # pluggy itself lets an implementation without a specification pass in silence, and sees
        # none in a function without the mark.
        unmarked = _unmarked_hook(self.manager, plugin)
        if unmarked:
            reason = f"'{unmarked}' is not marked as a hook: write @hookimpl above it"
            self.broken.append(BrokenPlugin(provider, reason))
            return
        unknown = _unknown_hooks(self.manager, plugin)
        if unknown:
            hooks = [name for name in vars(hookspecs) if name.startswith("xharness_")]
            reason = f"there is no hook '{unknown}'; {suggestion(unknown, hooks)}"
            self.broken.append(BrokenPlugin(provider, reason))
            return
        try:
            self.manager.register(plugin, name=provider.plugin)
        except (pluggy.PluginValidationError, ValueError) as error:
            self.broken.append(BrokenPlugin(provider, summary(error)))
        else:
            self.providers[provider.plugin] = provider


def load(extra: Iterable[str] = (), *, installed: bool = True) -> Plugins:
    """Load installed plugins and those named `extra`: module names or paths of Python files.

    Raises:
        ConfigurationError: an `extra` plugin cannot be loaded; the user asked for it by name.
    """
    manager = pluggy.PluginManager("xharness")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager)
    if installed:
        # Sorted: which of two offers of a name counts must not change between machines.
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            _add_installed(plugins, point)
    for name in extra:
        # Who installs what he tries need not take the option away.
        if _is_loaded(name, plugins):
            continue
        broken_count = len(plugins.broken)
        try:
            plugins.add(_import(name), Provider(name, "command line"))
        except (Exception, SystemExit) as error:
            raise ConfigurationError(summary(error), where=f"plugin '{name}'") from error
        # `add` notes a wrong hook and goes on; a plugin that was asked for must not go missing.
        if len(plugins.broken) > broken_count:
            raise ConfigurationError(plugins.broken[-1].reason, where=f"plugin '{name}'")
    return plugins


def _add_installed(plugins: Plugins, point: EntryPoint) -> None:
    provider = Provider(point.name, _distribution(point.dist) if point.dist else None)
    # Here, because pluggy would name neither of the two packages.
    if provider.plugin in plugins.providers:
        rival = plugins.providers[provider.plugin]
        plugins.broken.append(BrokenPlugin(provider, f"{rival} has the same plugin name"))
        return
    try:
        plugins.add(point.load(), provider)
    except (Exception, SystemExit) as error:  # a stranger's import can raise anything
        plugins.broken.append(BrokenPlugin(provider, summary(error)))


@lru_cache(maxsize=64)
def _distribution(dist: Distribution) -> str:
    """Its name and version: each asking parses all that a package says of itself."""
    return f"{dist.name} {dist.version}"


def _is_loaded(name: str, plugins: Plugins) -> bool:
    """Whether a plugin that is there already is the module `name`, or made of the file."""
    for module in plugins.manager.get_plugins():
        file = getattr(module, "__file__", None)
        if name == getattr(module, "__name__", None):
            return True
        if name.endswith(".py") and file and Path(file).resolve() == Path(name).resolve():
            return True
    return False


def _import(name: str) -> ModuleType:
    path = Path(name)
    if path.suffix != ".py":
        return importlib.import_module(name)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    # Under a name of its own: a file called json.py must not stand in for the library.
    module_name = f"xharness_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # Before it is executed, as the import system does: dataclasses look their module up there.
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def _unknown_hooks(manager: pluggy.PluginManager, plugin: object) -> str | None:
    """The first hook implementation in `plugin` that no specification knows."""
    for name in dir(plugin):
        marked = manager.parse_hookimpl_opts(plugin, name) is not None
        if marked and not hasattr(hookspecs, name):
            return name
    return None


def _unmarked_hook(manager: pluggy.PluginManager, plugin: object) -> str | None:
    """The first function of `plugin` that has a hook's name and is not marked as one."""
    for name in vars(hookspecs):
        is_hook = name.startswith("xharness_") and callable(getattr(plugin, name, None))
        if is_hook and manager.parse_hookimpl_opts(plugin, name) is None:
            return name
    return None


def summary(error: BaseException) -> str:
    """The error, and where in the plugin it came from, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    # The innermost frame is often the import system's own, which says nothing of the plugin.
    inner = [frame for frame in frames if "importlib" not in frame.filename]
    location = f" ({Path(inner[-1].filename).name}:{inner[-1].lineno})" if inner else ""
    return f"{type(error).__name__}: {error}{location}"
