"""`xharness new`: a study, a card or a plugin package to start from."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template
from typing import Annotated, Literal

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError

Offer = Literal["backend", "strategy"]
Name = Annotated[str, typer.Argument(help="What it is called.")]
Folder = Annotated[
    Path, typer.Option("--to", metavar="DIR", help="Where it goes; default: this folder.")
]
_PACKAGE = "package"  # the templates' folder that gets the package's own name


def new_study(name: Name, parent: Folder = Path()) -> None:
    """Write a study that runs as it is.

    \b
    xharness new study my-question
    """
    _check_name(name, r"[a-z0-9][a-z0-9._-]*", "letters, digits, '-', '_' and '.'")
    file = parent / name / "study.yaml"
    _refuse_existing(parent / name)
    _write({file: _text("study.yaml.template", {"name": name})})
    print(f"{file}\n  xharness run {file}")


def new_card(
    name: Name,
    task_type: Annotated[
        str, typer.Option("--task-type", metavar="NAME", help="What the task asks of a model.")
    ] = "classification",
    parent: Folder = Path(),
    plugin: flags.Plugins = None,
) -> None:
    """Write a task card with the fields that its task type needs.

    \b
    xharness new card my_reviews
    xharness new card my_names --task-type tagging --to cards
    """
    from xharness.session.catalogue import open_catalogue

    _check_name(name, r"[a-z0-9][a-z0-9_]*", "small letters, digits and '_'")
    definition = open_catalogue(tuple(plugin or ())).task_types[task_type]
    file = parent / f"{name}.yaml"
    _refuse_existing(file)
    required = [field for field, is_required in definition.fields.items() if is_required]
    labels = (
        "labels: [first, second]              # in the order of integer labels, if they are such\n"
    )
    values = {
        "name": name,
        "file": file.as_posix(),
        "task_type": task_type,
        "fields": "\n".join(f"  {field}: {field}" for field in required),
        "labels": labels if {"label", "tags"} & {*required} - _numbered(task_type) else "",
        "metric": next(iter(definition.metrics), ""),
    }
    _write({file: _text("card.yaml.template", values)})
    print(f"{file}\n  xharness cards validate {file}")


def new_plugin(
    name: Name,
    offer: Annotated[Offer, typer.Option("--offer", help="What the plugin offers.")] = "backend",
    parent: Folder = Path(),
) -> None:
    """Write an installable package with a plugin, its entry point, a passing test and a CI file.

    \b
    xharness new plugin my-backend
    xharness new plugin my-strategy --offer strategy
    """
    package = name.replace("-", "_").lower()
    # An import must be able to say it, whatever the distribution is called.
    _check_name(package, r"[a-z_][a-z0-9_]*", "letters, digits, '-' and '_', a letter first")
    if keyword.iskeyword(package) or package in ("xharness", "tests"):
        raise ConfigurationError(f"a package cannot be called '{package}'", where="NAME")
    folder = parent / name
    _refuse_existing(folder)
    short = package.removeprefix("xharness_") or package
    values = {
        "package": package,
        "distribution": package.replace("_", "-"),
        "offer": offer,
        "name": short.replace("_", "-"),
        "class_name": "".join(word.capitalize() for word in short.split("_")),
    }
    _write(
        {
            folder / path: Template(template.read_text(encoding="utf-8")).substitute(values)
            for path, template in _plugin_files(offer, package)
        }
    )
    print(f"{folder}\n  pip install --editable '{folder}[test]' && pytest {folder}")


def _plugin_files(offer: Offer, package: str) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Each file of the package, by its path there, with its template."""
    for path, template in _below(_templates() / "plugin", PurePosixPath()):
        stem, _, ending = path.name.removesuffix(".template").rpartition(".")
        parts = [package if part == _PACKAGE else part for part in path.parent.parts]
        if ending in ("backend", "strategy"):
            if ending == offer:
                yield PurePosixPath(*parts, f"{stem}.py"), template
        else:
            yield PurePosixPath(*parts, f"{stem}.{ending}"), template


def _below(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _below(entry, path / entry.name)
        # Templates alone: Python puts its caches into folders of packages.
        elif entry.name.endswith(".template"):
            yield path / entry.name, entry


def _templates() -> Traversable:
    return files("xharness.cli").joinpath("templates")


def _text(template: str, values: Mapping[str, str]) -> str:
    return Template((_templates() / template).read_text(encoding="utf-8")).substitute(values)


def _numbered(task_type: str) -> set[str]:
    """Fields of labels that are positions, so that the card lists no names for them."""
    return {"label"} if task_type == "multiple_choice" else set()


def _check_name(name: str, pattern: str, allowed: str) -> None:
    if not re.fullmatch(pattern, name):
        raise ConfigurationError(f"'{name}' is not a name here", where="NAME", expected=allowed)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise ConfigurationError(
            "it is there already, and stays as it is",
            where=str(path),
            hint="choose another name, or another folder with --to",
        )


def _write(texts: Mapping[Path, str]) -> None:
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Refuses a file that has come into being since it was looked for.
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise ConfigurationError(error.strerror or str(error), where=str(path)) from None
