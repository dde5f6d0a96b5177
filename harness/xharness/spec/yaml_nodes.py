"""Values out of YAML's nodes, which know their lines and show a key that stands twice."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from xharness.errors import CONTROL, HALF, ConfigurationError, printable

KeyPath = tuple[str | int, ...]

_NODE_LIMIT = 200_000  # aliases can make a small file describe an enormous value
_MERGE_TAG = "tag:yaml.org,2002:merge"
_DEPTH_LIMIT = 64  # an alias can stand inside its own value


class Position(NamedTuple):
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def check_depth(text: str, name: str) -> None:
    """Refuse what would overflow the C stack of the composer, which knows no limit."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_LIMIT:
            mark = event.start_mark
            line, column = (mark.line, mark.column) if mark else (0, 0)
            raise _too_deep(Position(name, line + 1, column + 1))


def _too_deep(position: Position, hint: str | None = None) -> ConfigurationError:
    message = f"values stand more than {_DEPTH_LIMIT} deep inside each other"
    return ConfigurationError(message, where=str(position), hint=hint)


def build(
    loader: yaml.CSafeLoader,
    node: yaml.Node,
    path: KeyPath,
    positions: dict[KeyPath, Position],
    name: str,
) -> Any:
    """The value of `node`; notes the position of each key path on the way."""
    position = Position(name, node.start_mark.line + 1, node.start_mark.column + 1)
    # The parent has noted where the key stands; only the whole text and items of a list have none.
    positions.setdefault(path, position)
    # Counted by path, not by node: an alias is one node, built again wherever it is used.
    if len(positions) > _NODE_LIMIT:
        raise ConfigurationError(f"more than {_NODE_LIMIT} values", where=name)
    if len(path) > _DEPTH_LIMIT:
        raise _too_deep(position, "does an alias (*name) stand inside the value it names?")
    if isinstance(node, yaml.SequenceNode):
        return [
            build(loader, item, (*path, index), positions, name)
            for index, item in enumerate(node.value)
        ]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(loader, node, position)
    _merge(node, name, ())
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        position = Position(name, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        key = _key(loader, key_node, position)
        if key in mapping:
            message = f"key '{key}' stands here a second time"
            raise ConfigurationError(message, where=str(position))
        positions[(*path, key)] = position
        mapping[key] = build(loader, value_node, (*path, key), positions, name)
    return mapping


def _merge(node: yaml.MappingNode, name: str, open_nodes: tuple[int, ...]) -> None:
    """Put what `<<: *alias` stands for into `node`: keys of its own come before merged ones."""
    position = Position(name, node.start_mark.line + 1, node.start_mark.column + 1)
    if id(node) in open_nodes:
        raise ConfigurationError("'<<' merges a value into itself", where=str(position))
    sources = [value for key, value in node.value if key.tag == _MERGE_TAG]
    node.value = [entry for entry in node.value if entry[0].tag != _MERGE_TAG]
    keys = {_key_text(key) for key, _ in node.value}
    for source in sources:
        for mapping in source.value if isinstance(source, yaml.SequenceNode) else [source]:
            if not isinstance(mapping, yaml.MappingNode):
                raise ConfigurationError(
                    "'<<' merges keys with values", where=str(position), hint="<<: *alias"
                )
            _merge(mapping, name, (*open_nodes, id(node)))
            node.value += [entry for entry in mapping.value if _key_text(entry[0]) not in keys]
            keys |= {_key_text(key) for key, _ in mapping.value}


def _key_text(node: yaml.Node) -> object:
    """What tells a key from others; those that are no text are refused where they are built."""
    return node.value if isinstance(node, yaml.ScalarNode) else id(node)


def _scalar(loader: yaml.CSafeLoader, node: yaml.Node, position: Position) -> Any:
    try:
        value = loader.construct_object(node, deep=True)
    except ValueError as error:  # such as a date in the 13th month
        raise ConfigurationError(f"not valid YAML: {error}", where=str(position)) from None
    # Written as escapes, they would reach terminals, pages and tables.
    if isinstance(value, str) and (CONTROL.search(value) or HALF.search(value)):
        raise ConfigurationError(
            f"a control character, or half of one: {printable(value)[:60]}", where=str(position)
        )
    return value


def _key(loader: yaml.CSafeLoader, node: yaml.Node, position: Position) -> Any:
    key = _scalar(loader, node, position)
    if isinstance(key, bool):
        raise ConfigurationError(
            f"YAML 1.1 reads {node.value} as {str(key).lower()}",
            where=str(position),
            hint=f'put it in quotes: "{node.value}"',
        )
    if not isinstance(key, str | int):
        raise ConfigurationError("a key must be text or a whole number", where=str(position))
    return key
