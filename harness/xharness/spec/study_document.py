"""Where in a study's file its models, strategies and targets stand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from xharness.errors import ConfigurationError
from xharness.spec.documents import Document
from xharness.spec.models import ModelSpec, model_name
from xharness.spec.study import TargetSpec
from xharness.spec.yaml_nodes import KeyPath


@dataclass(frozen=True)
class StudyDocument:
    """Where in a study's file each thing stands; errors name no line where there is no file."""

    document: Document | None = None

    def error(self, path: KeyPath, message: str, hint: str | None = None) -> ConfigurationError:
        """An error about what stands at `path`."""
        if self.document is None:
            return ConfigurationError(message, hint=hint)
        return self.document.error(path, message, hint=hint)

    def located(self, path: KeyPath, error: ConfigurationError) -> ConfigurationError:
        """`error`, which names no line yet, with that of `path`."""
        if self.document is None:
            return error
        location = str(self.document.position(path))
        location = f"{location}: {error.where}" if error.where else location
        return ConfigurationError(
            error.what, where=location, expected=error.expected, hint=error.hint
        )

    @contextmanager
    def locating(self, path: KeyPath) -> Iterator[None]:
        """Inside it, an error without a location gets that of `path`."""
        try:
            yield
        except ConfigurationError as error:
            if error.where is not None:
                raise
            raise self.error(path, error.what, hint=error.hint) from None

    def model(self, index: int, spec: ModelSpec) -> KeyPath:
        """The model in the file; those that match a query of the registry stand nowhere in it."""
        entries = self._entries("models")
        names = [model_name(entry) for entry in entries]
        if index < len(names) and names[index] == spec.name:
            return ("models", index)
        return ("models", names.index(spec.name)) if spec.name in names else ("models",)

    def target(self, index: int, spec: TargetSpec) -> KeyPath:
        """The target in the file; flags may have replaced a group by its tasks and so moved it."""
        entries = self._entries("targets")
        names = [entry.get("task") if isinstance(entry, dict) else entry for entry in entries]
        if index >= len(names) or names[index] != spec.task:
            if spec.task not in names:
                return ("targets",)
            index = names.index(spec.task)
        keys = ("task",) if isinstance(entries[index], dict) else ()
        return ("targets", index, *keys)

    def runtime(self, key: str, name: str) -> KeyPath | None:
        """Where the file names `name` under that key of `runtime`; None where a flag does."""
        runtime = None if self.document is None else self.document.data.get("runtime")
        if self.document is None or not isinstance(runtime, dict) or key not in runtime:
            return None
        path = self.document.part("runtime", key).path_of(name)
        return None if path is None else ("runtime", key, *path)

    def options(self, path: KeyPath) -> Document | None:
        """The part of the file where the options of the model or strategy at `path` stand."""
        if self.document is None:
            return None
        value = self.document.part(*path).data
        # In the short form, `{multitask: {...}}`, the options stand one key deeper.
        if isinstance(value, dict) and len(value) == 1 and "name" not in value:
            path = (*path, *value)
        return self.document.part(*path)

    def _entries(self, key: str) -> list[Any]:
        value = None if self.document is None else self.document.part(key).data
        return value if isinstance(value, list) else []
