"""A run's context as a value that can be sent to another process, which opens one of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.executor import RunContext
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import CatalogueOrigin
from xharness.session.catalogue import open_catalogue
from xharness.spec.study import Runtime
from xharness.store import Store


@dataclass(frozen=True)
class ContextSpec:
    """What a context is opened with; all paths are absolute."""

    catalogue: CatalogueOrigin
    environment: RunEnvironment
    store: Path
    runtime: Runtime

    @classmethod
    def of(cls, context: RunContext) -> ContextSpec:
        """What opens a context that equals `context`, in a process that sees the same folders.

        Raises:
            ConfigurationError: a plugin is an object of this process.
        """
        if context.catalogue.origin is None:
            raise ConfigurationError(
                "a plugin that is an object cannot be sent to another process",
                hint="put it into a file and name that, or run without --executor",
            )
        environment = context.environment
        root = environment.data_root
        environment = replace(
            environment,
            data_root=root and root.resolve(),
            cache=environment.cache.resolve(),
            base=environment.base.resolve(),
        )
        store = context.store.root.resolve()
        return cls(context.catalogue.origin, environment, store, context.runtime)

    def open(self) -> RunContext:
        """The context, with a catalogue of its own.

        Raises:
            ConfigurationError: a plugin or a folder of cards is not here.
        """
        catalogue = open_catalogue(self.catalogue.plugins, self.catalogue.cards)
        data = DataReader(catalogue, self.environment)
        return RunContext(catalogue, data, Store(self.store), self.environment, self.runtime)
