"""Documents as models: everything that is wrong, each with its line and what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from xharness.errors import ConfigurationError, nearest
from xharness.spec.documents import Document
from xharness.spec.yaml_nodes import KeyPath

ModelT = TypeVar("ModelT", bound=BaseModel)


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
