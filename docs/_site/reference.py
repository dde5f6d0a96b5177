"""The pages of the reference, made of the schema, the hooks and the command line themselves."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import xharness
from xharness.cli import app
from xharness.plugin import hookspecs
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.study import Study

_MADE = "<!-- Made while the site is built. -->\n\n"


def pages() -> dict[str, str]:
    """Path in docs to Markdown."""
    catalogue = xharness.open_catalogue(())
    return {
        "reference/study.md": _models_page(
            "Keys of a study", "What a study may say; nothing else is accepted.", [Study]
        ),
        "reference/card.md": _models_page(
            "Keys of a card", "What a task card may say; nothing else is accepted.", [TaskCard]
        ),
        "reference/options.md": _options_page(catalogue),
        "reference/task_types.md": _task_types_page(catalogue),
        "reference/cli.md": _command_page(),
        "reference/hooks.md": _hooks_page(),
        "reference/python.md": _python_page(),
    }


def _models_page(title: str, introduction: str, models: Iterable[type[BaseModel]]) -> str:
    sections = "\n".join(_model_section(model) for model in _with_nested(models))
    return f"{_MADE}# {title}\n\n{introduction}\n\n{sections}"


def _with_nested(models: Iterable[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The models, and those that their fields hold, each once."""
    waiting, sections = [*models], set[type[BaseModel]]()
    while waiting:
        model = waiting.pop(0)
        if model not in sections:
            sections.add(model)
            yield model
            for field in model.model_fields.values():
                waiting += _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _model_section(model: type[BaseModel]) -> str:
    rows = [_field_row(model, name, field) for name, field in model.model_fields.items()]
    table = _table(("key", "value", "default", "meaning"), rows) if rows else "No keys.\n"
    return f"## {model.__name__}\n\n{_first_paragraph(model)}\n\n{table}"


def _field_row(model: type[BaseModel], name: str, field: FieldInfo) -> tuple[str, ...]:
    if field.is_required():
        default = "required"
    elif field.default is PydanticUndefined or isinstance(field.default, BaseModel):
        default = ""
    else:
        default = f"`{_written(field.default)}`"
    key = field.alias or name
    anchor = f'<span id="{model.__name__}.{key}"></span>`{key}`'
    return anchor, _type_text(field.annotation), default, field.description or ""


def _written(value: Any) -> str:
    """A default as YAML has it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_written(item) for item in value)}]"
    if isinstance(value, BaseModel):
        values = value.model_dump(exclude_unset=True, mode="json")
        return ", ".join(f"{name}: {_written(item)}" for name, item in values.items())
    return str(value)


def _type_text(annotation: Any) -> str:
    """What may be written, every choice by its name."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return ""
    if origin is Annotated:
        return _type_text(arguments[0])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(
            _type_text(argument) for argument in arguments if argument is not type(None)
        )
    if origin in (tuple, list, frozenset, set):
        return f"list of {_type_text(arguments[0])}"
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return f"{_type_text(arguments[0])}: {_type_text(arguments[1]) or 'anything'}, ..."
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(annotation, getattr(annotation, "__name__", "anything").lower())


def _options_page(catalogue: Catalogue) -> str:
    text = f"{_MADE}# Options of plugins\n\nWhat stands beside `backend:`, `strategy:`, `from:` or "
    text += "a translator's or an executor's name is for that plugin; these are installed here.\n"
    nouns = {
        "backend": catalogue.backends,
        "strategy": catalogue.strategies,
        "source": catalogue.sources,
        "translator": catalogue.translators,
        "executor": catalogue.executors,
    }
    nested: list[type[BaseModel]] = []
    for noun, registry in nouns.items():
        for name in registry:
            options: type[BaseModel] = registry[name].options
            rows = [_field_row(options, key, field) for key, field in options.model_fields.items()]
            table = (
                _table(("key", "value", "default", "meaning"), rows) if rows else "No options.\n"
            )
            text += f"\n## {noun} {name}\n\n{_first_paragraph(type(registry[name]))}\n\n{table}"
            nested += [model for model in _with_nested([options]) if model is not options]
    sections = (_model_section(model) for model in dict.fromkeys(nested))
    return text + "\n" + "\n".join(sections)


def _task_types_page(catalogue: Catalogue) -> str:
    text = f"{_MADE}# Task types\n\nWhat a card's `task_type` may be, the `fields` it must map "
    text += "(optional ones in brackets), and its `metrics`.\n"
    for name in catalogue.task_types:
        task_type = catalogue.task_types[name]
        fields = [
            f"`{field}`" if required else f"[`{field}`]"
            for field, required in task_type.fields.items()
        ]
        metrics = [f"`{metric}`" for metric in task_type.metrics]
        text += f"\n## {name}\n\n{_first_paragraph(type(task_type))}\n\n"
        text += f"- fields: {', '.join(fields) or 'none'}\n"
        text += f"- metrics: {', '.join(metrics) or 'none'}\n"
    return text


def _command_page() -> str:
    command = typer.main.get_command(app)
    text = f"{_MADE}# Command line\n"
    return text + "".join(_command_sections(command, ("xharness",)))


def _command_sections(command: Any, words: tuple[str, ...]) -> Iterator[str]:
    subcommands = getattr(command, "commands", None)
    context = command.make_context(words[-1], [], resilient_parsing=True)
    context.info_name = " ".join(words)
    usage = command.get_usage(context).removeprefix("Usage: ")
    described = inspect.cleandoc(command.help or "").partition("\b\n")
    text = f"\n## {' '.join(words)}\n\n{described[0].strip()}\n\n```text\n{usage}\n```\n"
    if described[2]:
        text += f"\n```sh\n{described[2].strip()}\n```\n"
    records = [parameter.get_help_record(context) for parameter in command.params]
    rows = [(f"`{record[0]}`", record[1]) for record in records if record is not None]
    yield text + "\n" + (_table(("argument or flag", "meaning"), rows) if rows else "")
    for name, subcommand in (subcommands or {}).items():
        yield from _command_sections(subcommand, (*words, name))


def _hooks_page() -> str:
    text = f"{_MADE}# Hooks\n\nA plugin implements those it needs, each marked with "
    text += "`@xharness.hookimpl`, and names only the parameters that it reads.\n"
    for name, hook in vars(hookspecs).items():
        if name.startswith("xharness_"):
            signature = str(inspect.signature(hook)).replace("'", "")
            text += f"\n## {name}\n\n```python\ndef {name}{signature}: ...\n```\n\n"
            text += f"{inspect.getdoc(hook)}\n"
    return text


def _python_page() -> str:
    text = f"{_MADE}# Python\n\nEverything that `import xharness` offers, to run studies and to "
    text += "write plugins.\n"
    for name in dir(xharness):
        thing = getattr(xharness, name)
        documented = inspect.isclass(thing) or inspect.isfunction(thing)
        if documented and thing.__module__.split(".")[0] == "xharness":
            text += "".join(_thing(name, thing))
    return text


def _thing(name: str, thing: Any) -> Iterator[str]:
    yield f"\n## {name}\n\n{_definition(name, thing)}{inspect.getdoc(thing) or ''}\n"
    if not inspect.isclass(thing):
        return
    if rows := [*_attributes(thing)]:
        yield "\n" + _table(("attribute", "type", "meaning"), rows)
    for method_name, method in vars(thing).items():
        if not inspect.isfunction(method) or method_name.startswith("_") or not method.__doc__:
            continue
        if method.__module__ == thing.__module__:  # pydantic and dataclasses add some of theirs
            yield f"\n### {name}.{method_name}\n\n{_definition(method_name, method)}"
            yield f"{inspect.getdoc(method)}\n"


def _attributes(thing: type) -> Iterator[tuple[str, str, str]]:
    """What an object of the class has beside methods: name, type, meaning."""
    fields: Mapping[str, FieldInfo] = getattr(thing, "model_fields", {})
    own_classes = [base for base in thing.__mro__ if base.__module__.startswith("xharness.")]
    annotations: dict[str, Any] = {}
    comments: dict[str, str] = {}
    for base in reversed(own_classes):
        annotations |= vars(base).get("__annotations__", {})
        comments |= _attribute_comments(base)
    for name, annotation in annotations.items():
        if not name.startswith("_") and name != "model_config":
            meaning = fields[name].description if name in fields else comments.get(name)
            yield f"`{name}`", f"`{_annotation_text(annotation)}`", meaning or ""
    for name, value in vars(thing).items():
        getter = value.fget if isinstance(value, property) else getattr(value, "func", None)
        if inspect.isfunction(getter) and not name.startswith("_") and getter.__doc__:
            returned = _annotation_text(getter.__annotations__.get("return", ""))
            yield f"`{name}`", f"`{returned}`", inspect.getdoc(getter) or ""


def _annotation_text(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _attribute_comments(thing: type) -> dict[str, str]:
    """Attribute to the text that stands below it in the class."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        line.target.id: inspect.cleandoc(comment.value.value)
        for line, comment in itertools.pairwise(definition.body)
        if isinstance(line, ast.AnnAssign)
        and isinstance(line.target, ast.Name)
        and isinstance(comment, ast.Expr)
        and isinstance(comment.value, ast.Constant)
        and isinstance(comment.value.value, str)
    }


def _definition(name: str, thing: Any) -> str:
    if inspect.isclass(thing):
        bases = [base.__name__ for base in thing.__bases__ if base is not object]
        return f"```python\nclass {name}({', '.join(bases)})\n```\n\n"
    signature = str(inspect.signature(thing)).replace("'", "")
    return f"```python\ndef {name}{signature}\n```\n\n"


def _first_paragraph(thing: type) -> str:
    """The class's own docstring, its first paragraph in one line."""
    return " ".join((inspect.cleandoc(thing.__doc__ or "").partition("\n\n")[0]).split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ((" ".join(cell.split()).replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
