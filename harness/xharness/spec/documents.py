"""YAML at the door: read safely, and every value knows its line.

A `Document` keeps, for each key path, its position in the file, so that an error in the value can
point at the text the user wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from xharness.errors import HALF, ConfigurationError, printable, reason_of
from xharness.spec.yaml_nodes import KeyPath, Position, build, check_depth, line_and_column

_MOST_CHARACTERS = 16 * 2**20  # a thousand times the largest card


class _Readable(Protocol):
    def read_text(self, encoding: str | None = None) -> str: ...


@dataclass(frozen=True)
class Document:
    """The value of one YAML text, with the position of each key path in it."""

    file: str
    data: Any
    positions: Mapping[KeyPath, Position]
    owner: str = ""
    """What the value belongs to, put before its key path in errors; for parts of a document."""
    text: str = field(default="", compare=False, repr=False)
    """As it was written; empty for parts."""
    written_paths: Mapping[KeyPath, KeyPath] = field(default_factory=dict, compare=False)
    """Items of lists at the top that stand elsewhere in the file, as those above them were cut."""
    # Every arm asks for the same parts, and each is cut out of the positions of the whole file.
    _parts: dict[KeyPath, Document] = field(default_factory=dict, compare=False, repr=False)

    def position(self, path: KeyPath) -> Position:
        """Where `path` stands, or its nearest enclosing key that stands in the file."""
        path = self._written(path)
        while path and path not in self.positions:
            path = path[:-1]
        return self.positions.get(path, Position(self.file, 1, 1))

    def error(self, path: KeyPath, message: str, **details: str | None) -> ConfigurationError:
        """An error about the value at `path`."""
        keys = ", ".join(filter(None, (self.owner, ".".join(map(str, self._written(path))))))
        location = str(self.position(path)) if self.positions else self.file
        location = f"{location}: {keys}" if keys else location
        return ConfigurationError(message, where=location, **details)

    def part(self, *path: str | int) -> Document:
        """The document below `path`, its positions still those of the whole file."""
        if path not in self._parts:
            self._parts[path] = self._make_part(path)
        return self._parts[path]

    def _make_part(self, path: KeyPath) -> Document:
        data = self.data
        for step in path:
            data = data[step]
        depth, written_path = len(path), self._written(path)
        positions = {
            key_path[depth:]: position
            for key_path, position in self.positions.items()
            if key_path[:depth] == written_path
        }
        return Document(self.file, data, positions)

    def _written(self, path: KeyPath) -> KeyPath:
        """`path` as it is in the file."""
        return (*self.written_paths.get(path[:2], path[:2]), *path[2:])

    def path_of(self, value: str) -> KeyPath | None:
        """Where `value` first stands; None where it does not."""
        return next((path for path in self.positions if self._value(path) == value), None)

    def _value(self, path: KeyPath) -> Any:
        value = self.data
        for step in path:
            value = value[step]
        return value


def load(path: Path) -> Document:
    """Read and parse the YAML file at `path`.

    Raises:
        ConfigurationError: the file is missing, unreadable, not UTF-8, or not valid YAML.
    """
    return read(path, str(path))


def read(file: _Readable, name: str) -> Document:
    """Like `load`, for anything with `read_text`, such as a resource inside a wheel."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError("there is no such file", where=name) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(reason_of(error), where=name) from None
    return parse(text, name)


def parse(text: str, name: str = "<text>") -> Document:
    """Parse YAML `text`; `name` stands for the file in errors."""
    if len(text) > _MOST_CHARACTERS:
        raise ConfigurationError(f"more than {_MOST_CHARACTERS >> 20} MiB of text", where=name)
    positions: dict[KeyPath, Position] = {}
    if half := HALF.search(text):  # of a word that was typed: no file that is UTF-8 has one
        location = str(Position(name, *line_and_column(text, half.start())))
        raise ConfigurationError(f"half a character: {printable(half[0])}", where=location)
    try:
        loader = yaml.CSafeLoader(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=name) from None
    try:
        check_depth(text, name)
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError("the file is empty", where=name)
        data = build(loader, node, (), positions, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        location = str(Position(name, mark.line + 1, mark.column + 1)) if mark else name
        raise ConfigurationError(f"not valid YAML: {error.problem}", where=location) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=name) from None
    finally:
        loader.dispose()
    return Document(name, data, positions, text=text)


def dump(value: Mapping[str, Any]) -> str:
    """`value` as YAML in the order given, readable by people."""
    text: str = yaml.dump(
        dict(value), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100
    )
    return text
