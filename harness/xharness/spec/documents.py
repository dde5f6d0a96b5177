"""YAML at the door: read safely, checked strictly, and every complaint knows its line.

A `Document` keeps, for each key path, its position in the file, so that an error which pydantic
finds in the value can point at the text the user wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from xharness.errors import (
    CONTROL,
    HALF,
    ConfigurationError,
    nearest,
    printable,
    reason_of,
    suggestion,
)

KeyPath = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)

_MOST_CHARACTERS = 16 * 2**20  # a thousand times the largest card
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


class _Readable(Protocol):
    def read_text(self, encoding: str | None = None) -> str: ...


class Strict(BaseModel):
    """The base of everything users write: frozen, and unknown keys are refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or cls.model_config.get("extra") != "forbid":
            return data
        # Pydantic would refuse them too, but after all else and without the nearest name.
        keys = {field.alias or name for name, field in cls.model_fields.items()}
        for key in data:
            if key not in keys and key not in cls.model_fields:
                raise PydanticCustomError(
                    "unknown_key",
                    "unknown key '{key}'; {hint}",
                    {"key": str(key), "hint": suggestion(str(key), keys)},
                )
        return data


def _name(value: str) -> str:
    inner = value.replace("_", "").replace("-", "").replace(".", "")
    if not value.isascii() or not inner.isalnum() or value[0] == "." or value[-1] == ".":
        raise ValueError(
            f"'{value}' must be made of ASCII letters, digits, '_', '-' and, within it, '.'"
        )
    return value


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_name)]
"""A name that is safe as a file name on any system."""


def _prose(value: str) -> str:
    for match in _DESTINATION.finditer(value):
        if not _ADDRESS.fullmatch(match["inline"] or match["reference"] or ""):
            raise ValueError(
                f"'{match[0].strip()}' must lead to an address with https:// or http://"
            )
    return value


_DESTINATION = re.compile(
    r"\]\(\s*<?(?P<inline>[^)\s>]*)|^\s{0,3}\[[^\]]+\]:\s*<?(?P<reference>\S*)", re.MULTILINE
)
_ADDRESS = re.compile(r"(?:https?://|mailto:|#)[^&]*(?:&(?!#)[^&]*)*|[^:&]*")

Prose = Annotated[str, AfterValidator(_prose)]
"""Markdown that pages show; its links lead to addresses of the web alone."""


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"]+", value):
        raise ValueError(f"'{value}' is not an address with https:// or http://")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
"""Of a page."""


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
    # Nodes instead of `safe_load`: they know their lines, and show a key that stands twice.
    if len(text) > _MOST_CHARACTERS:
        raise ConfigurationError(f"more than {_MOST_CHARACTERS >> 20} MiB of text", where=name)
    positions: dict[KeyPath, Position] = {}
    if half := HALF.search(text):  # of a word that was typed: no file that is UTF-8 has one
        location = str(Position(name, *_line_and_column(text, half.start())))
        raise ConfigurationError(f"half a character: {printable(half[0])}", where=location)
    try:
        loader = yaml.CSafeLoader(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=name) from None
    try:
        _check_depth(text, name)
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError("the file is empty", where=name)
        data = _build(loader, node, (), positions, name)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        location = str(Position(name, mark.line + 1, mark.column + 1)) if mark else name
        raise ConfigurationError(f"not valid YAML: {error.problem}", where=location) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"not valid YAML: {error}", where=name) from None
    finally:
        loader.dispose()
    return Document(name, data, positions, text=text)


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _check_depth(text: str, name: str) -> None:
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


def _build(
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
            _build(loader, item, (*path, index), positions, name)
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
        mapping[key] = _build(loader, value_node, (*path, key), positions, name)
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


def validate(document: Document, model: type[ModelT], context: Any = None) -> ModelT:
    """The document's value as a `model`.

    Raises:
        ConfigurationError: one line per problem: file:line:column, key path, what was expected.
    """
    return examine(document, model, context).sound_value()


@dataclass(frozen=True)
class Examination(Generic[ModelT]):
    """What a document's value is as a model, or why it is none."""

    value: ModelT | None
    """None where something is wrong; unknown keys alone leave one beside their problems."""
    problems: tuple[str, ...]
    """One line each."""
    data: Any
    """The document's value without its unknown keys."""
    wrong_paths: tuple[KeyPath, ...]
    """Where in `data` the problems are."""

    def sound_value(self) -> ModelT:
        """The value.

        Raises:
            ConfigurationError: something is wrong with it.
        """
        if self.value is None or self.problems:
            raise ConfigurationError("\n".join(self.problems))
        return self.value


def examine(document: Document, model: type[ModelT], context: Any = None) -> Examination[ModelT]:
    """The document's value as a `model`, with all that is wrong in it."""
    problems: list[str] = []
    value: ModelT | None = None
    wrong_paths: tuple[KeyPath, ...] = ()
    data = document.data
    while True:
        try:
            value = model.model_validate(data, context=context)
        except ValidationError as error:
            details = error.errors(include_url=False)
        else:
            break
        problems += [
            _explain(document, detail) for detail in details if not _follows(detail, details)
        ]
        # An unknown key hides what else is wrong beside it: it is told, taken out, and the rest
        # looked at.
        unknown_keys = [
            (*detail["loc"], detail["ctx"]["key"])
            for detail in details
            if detail["type"] == "unknown_key"
        ]
        smaller = _without_paths(data, unknown_keys)
        if smaller == data:
            wrong_paths = tuple(detail["loc"] for detail in details)
            break
        data = smaller
    # Several branches of a union may complain of one value in the same words.
    return Examination(value, tuple(dict.fromkeys(problems)), data, wrong_paths)


def _without_paths(value: Any, paths: list[KeyPath]) -> Any:
    """`value` without what stands at `paths`; steps that pydantic adds are passed over."""
    if isinstance(value, list):
        return [
            _without_paths(item, _paths_below(paths, index)) for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_paths(item, _paths_below(paths, key))
        for key, item in value.items()
        if (str(key),) not in [tuple(map(str, path[-1:])) for path in paths if len(path) == 1]
    }


def _paths_below(paths: list[KeyPath], step: str | int) -> list[KeyPath]:
    return [path[1:] for path in paths if len(path) > 1 and path[0] == step]


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Whether another problem explains this one.

    Pydantic does not count a list's wrong items, and holds a list with one against the word that
    may stand in the list's place, too.
    """
    path = detail["loc"]
    if detail["type"] == "literal_error" and str(path[-1]).startswith("literal["):
        path = path[:-1]
    elif detail["type"] != "too_short":
        return False
    depth = len(detail["loc"])
    return any(len(cause["loc"]) > depth and cause["loc"][: len(path)] == path for cause in details)


def _explain(document: Document, detail: ErrorDetails) -> str:
    """One problem that pydantic found, with its position in the file."""
    context = detail.get("ctx", {})
    path: KeyPath = tuple(
        step for step in detail["loc"] if not _is_pydantic_detour(document, detail["loc"], step)
    )
    if detail["type"] == "unknown_key":
        path = (*path, context["key"])
    message = detail["msg"].removeprefix("Value error, ")
    value = detail["input"]
    if detail["type"] == "missing":
        message = "this key is missing"
    elif detail["type"] == "too_short":
        least = context["min_length"]
        message = f"needs at least {'one' if least == 1 else least}"
    elif detail["type"] == "too_long":
        message = f"at most {context['max_length']} are allowed"
    elif detail["type"] == "literal_error":
        # Pydantic gives the choices as prose alone: "'a', 'b' or 'c'".
        values = [name.strip("' ") for name in context["expected"].replace(" or ", ",").split(",")]
        close = nearest(str(value), values)
        message = f"'{value}' is not one of {context['expected']}"
        message += f"; did you mean '{close}'?" if close else ""
    elif detail["type"] not in ("unknown_key", "value_error"):
        message = f"{_expectation(detail)}, not {_in_words(value)}"
        # YAML reads 0 as a number and the language code no as false.
        if detail["type"] == "string_type" and isinstance(value, int | float):
            message += "; in quotes it is one"
    return str(document.error(path, message))


_EXPECTATIONS = {
    "tuple_type": "a list is needed: [first, second]",
    "list_type": "a list is needed: [first, second]",
    "dict_type": "keys with values are needed: {{key: value}}",
    "model_type": "keys with values are needed: {{key: value}}",
    "model_attributes_type": "keys with values are needed: {{key: value}}",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
    "finite_number": "a finite number is needed",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "string_type": "a text is needed",
    "path_type": "a path is needed",
    "greater_than": "a number above {gt:g} is needed",
    "greater_than_equal": "a number of {ge:g} or more is needed",
    "less_than": "a number below {lt:g} is needed",
    "less_than_equal": "a number of {le:g} or less is needed",
    "string_too_short": "at least {min_length} letter is needed",
    "string_too_long": "at most {max_length} letters are allowed",
}
"""What pydantic calls a mistake, to what would be right in a word of this project's users."""


def _expectation(detail: ErrorDetails) -> str:
    template = _EXPECTATIONS.get(detail["type"])
    if template is None:
        return detail["msg"][0].lower() + detail["msg"][1:]
    return template.format(**detail.get("ctx", {}))


def _in_words(value: Any) -> str:
    """A value that stands where another sort is needed."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    return "a list" if isinstance(value, list) else repr(value)


def _is_pydantic_detour(document: Document, path: KeyPath, step: str | int) -> bool:
    """Whether `step` of a pydantic location names a union branch instead of a key."""
    return (
        isinstance(step, str)
        and ("[" in step or step in {"str", "int", "float", "bool", "list", "dict", "none"})
        and (path not in document.positions)
    )


def dump(value: Mapping[str, Any]) -> str:
    """`value` as YAML in the order given, readable by people."""
    text: str = yaml.dump(
        dict(value), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100
    )
    return text
