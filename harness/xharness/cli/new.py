"""`xharness new`: a study, a card or a plugin package to start from."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from string import Template
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError
from xharness.files import writing
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.plugin.catalogue import Catalogue
    from xharness.session.card_rows import CardProposal
    from xharness.task_types.base import TaskType

Offer = Literal["backend", "strategy", "source", "task"]
Name = Annotated[str, typer.Argument(help="What it is called.")]
Folder = Annotated[
    Path, typer.Option("--to", metavar="DIR", help="Where it goes; default: this folder.")
]
_FILES = """\
  - from: file                         # or 'from: hub' with 'id: ORGANISATION/NAME'; or url
    reader: jsonl
    path:
      train: data/{name}.{{language}}.train.jsonl
      test: data/{name}.{{language}}.test.jsonl
    splits: {{train: train, test: test}}"""
_NO_SOURCE = "source_language: null                  # without English there is no gap"
_NO_TRAINING = "# train_on: [TASK]                     # the English data that it is learnt from"
_WIDTH = 88  # of a card's lines, less what stands before a list
_CARD = "NAME"  # in a template's own name: the card's
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


FromHub = Annotated[
    str | None,
    typer.Option(
        "--from-hub", metavar="ORG/NAME", help="Look at this data set, and propose what fits it."
    ),
]
FromFile = Annotated[
    str | None,
    typer.Option(
        "--from-file",
        metavar="PATTERN",
        help="Look at these files, and propose what fits them: reviews.{language}.{split}.csv.",
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config",
        metavar="NAME",
        help="The data set's, where it has some; one of a language stands for those of all.",
    ),
]
TaskTypeName = Annotated[
    str | None,
    typer.Option(
        "--task-type", metavar="NAME", help="What the task asks of a model; else classification."
    ),
]


@flags.options_from("data_root", "plugins", "offline")
def new_card(
    options: RunOptions,
    name: Name,
    task_type: TaskTypeName = None,
    from_hub: FromHub = None,
    from_file: FromFile = None,
    config: Config = None,
    parent: Folder = Path(),
) -> None:
    """Write a task card with the fields that its task type needs.

    \b
    xharness new card my_reviews
    xharness new card my_names --task-type tagging --to cards
    xharness new card my_nli --from-hub org/nli --config en
    xharness new card my_films --from-file 'data/films.{language}.{split}.csv'
    """
    from xharness.session.catalogue import open_catalogue

    _check_name(name, r"[a-z0-9][a-z0-9_]*", "small letters, digits and '_'")
    file = parent / f"{name}.yaml"
    _refuse_existing(file)
    catalogue = open_catalogue(options.plugins)
    values = {"name": name, "file": file.as_posix()}
    if from_hub is not None:
        values |= _hub_values(name, from_hub, config, catalogue, options)
    elif from_file is not None:
        values |= _file_values(name, from_file, catalogue, options)
    else:
        values |= _card_values(catalogue.task_types[task_type or "classification"], name)
    _write({file: _text("card.yaml.template", values)})
    print(f"{file}\n  xharness cards validate {file} --rows 3")


def _card_values(task_type: TaskType, name: str) -> dict[str, str]:
    """What the template leaves open, for a card that nothing is known of."""
    required = [field for field, is_required in task_type.fields.items() if is_required]
    labels = (
        "labels: [first, second]              # in the order of integer labels, if they are such\n"
    )
    return {
        "task_type": task_type.name,
        "source": _FILES.format(name=name),
        "languages": "[en, de, sw]",
        "fields": "\n".join(f"  {field}: {field}" for field in required),
        "labels": labels if {"label", "tags"} & {*required} else "",
        "metric": next(iter(task_type.metrics), ""),
        "eval_split": "",
        "train_on": f"train_on: [{name}]",
    }


def _hub_values(
    name: str, dataset: str, config: str | None, catalogue: Catalogue, options: RunOptions
) -> dict[str, str]:
    """The same for a card of a data set, from what its first rows look like."""
    from xharness.session.card_rows import config_names, propose_card
    from xharness.session.config_languages import config_languages
    from xharness.session.environment import run_environment

    environment = run_environment(options.data_root, Path.cwd(), offline=options.offline)
    source = [f"  - from: hub\n    id: {dataset}"]
    configs = config_names("hub", {"id": dataset}, catalogue, environment)
    by_language = config_languages(configs, config)
    languages = by_language.languages if by_language is not None else ("en",)
    if by_language is not None:
        # Configs that are languages have others beside them: one card reads them all.
        config = config or by_language.config(languages[0])
        source.append(f'    config: "{by_language.template}"')
        codes = by_language.codes
        source += [_wrapped(f"    codes: {_flow_mapping(codes)}")] if codes else []
    elif config is not None:
        source.append(f"    config: {config}")
    source_options = {"id": dataset, **({"config": config} if config else {})}
    proposal = propose_card("hub", source_options, catalogue, environment)
    return _proposed_values(name, proposal, source, languages, catalogue)


def _file_values(name: str, text: str, catalogue: Catalogue, options: RunOptions) -> dict[str, str]:
    """The same for a card of files, from what their first rows look like."""
    from xharness.session.card_rows import propose_card
    from xharness.session.environment import run_environment
    from xharness.session.file_patterns import FilePattern

    environment = run_environment(options.data_root, Path.cwd(), offline=options.offline)
    pattern = FilePattern(text)
    languages = pattern.languages(Path.cwd())
    source_options = {"reader": pattern.reader, "path": pattern.in_language(languages[0])}
    proposal = propose_card("file", source_options, catalogue, environment)
    path = json.dumps(text, ensure_ascii=False)
    source = [f"  - from: file\n    reader: {pattern.reader}\n    path: {path}"]
    return _proposed_values(name, proposal, source, languages, catalogue)


def _proposed_values(
    name: str,
    proposal: CardProposal,
    source: Sequence[str],
    languages: Sequence[str],
    catalogue: Catalogue,
) -> dict[str, str]:
    """What the template leaves open, for data that was looked at."""
    codes = ", ".join(map(_quoted, languages))
    splits = dict(proposal.splits)
    # The only split of a data set in many languages is there to be scored, however it is called.
    if [*splits] == ["train"] and len(languages) > 1:
        splits = {"test": splits["train"]}
    splits_text = ", ".join(f"{split}: {source_name}" for split, source_name in splits.items())
    # In English: what is learnt in another language has no way to go from there.
    is_trained = "train" in splits and "en" in languages
    fields = [f"  {field}: {column}" for field, column in proposal.fields.items()]
    labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in proposal.labels)
    return {
        "task_type": proposal.task_type,
        "source": "\n".join([*source, f"    splits: {{{splits_text}}}"]),
        "languages": _wrapped(f"[{codes}]") + ("" if "en" in languages else f"\n{_NO_SOURCE}"),
        "fields": "\n".join([*fields, f"  # the columns: {', '.join(proposal.columns)}"]),
        "labels": f"labels: [{labels}]      # in the order of integer labels\n" if labels else "",
        "metric": next(iter(catalogue.task_types[proposal.task_type].metrics)),
        "eval_split": "" if "test" in splits else "eval_split: validation\n",
        "train_on": f"train_on: [{name}]" if is_trained else _NO_TRAINING,
    }


def _flow_mapping(codes: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{_quoted(code)}: {_quoted(word)}' for code, word in codes.items())}}}"


def _quoted(code: str) -> str:
    # Norwegian's code, unquoted, is a truth value to YAML 1.1.
    return '"no"' if code == "no" else code


def _wrapped(text: str) -> str:
    """A list in brackets over as many lines as it takes."""
    return fill(text, width=_WIDTH, subsequent_indent="  " * 3, break_on_hyphens=False)


def new_plugin(
    name: Name,
    offer: Annotated[Offer, typer.Option("--offer", help="What the plugin offers.")] = "backend",
    parent: Folder = Path(),
) -> None:
    """Write an installable package with a plugin, its entry point, a passing test and a CI file.

    \b
    xharness new plugin my-backend
    xharness new plugin my-strategy --offer strategy
    xharness new plugin my-task --offer task
    """
    package = name.replace("-", "_").lower()
    # An import must be able to say it, whatever the distribution is called.
    _check_name(package, r"[a-z_][a-z0-9_]*", "letters, digits, '-' and '_', a letter first")
    if keyword.iskeyword(package) or package in ("xharness", "tests"):
        raise ConfigurationError(f"a package cannot be called '{package}'", where="NAME")
    folder = parent / name
    _refuse_existing(folder)
    short = package.removeprefix("xharness_") or package
    class_name = "".join(word.capitalize() for word in short.split("_"))
    values = {
        "package": package,
        "distribution": package.replace("_", "-"),
        "offer": offer,
        "name": short.replace("_", "-"),
        "card": short,
        # The templates add the word: 'my-backend' has the class MyBackend.
        "class_name": class_name.removesuffix("Backend") or class_name,
    }
    _write(
        {
            folder / str(path).replace(_CARD, short): Template(
                template.read_text(encoding="utf-8")
            ).substitute(values)
            for path, template in _plugin_files(offer, package)
        }
    )
    print(f"{folder}\n  pip install --editable '{folder}[test]' && pytest {folder}")


def _plugin_files(offer: Offer, package: str) -> Iterator[tuple[PurePosixPath, Traversable]]:
    """Each file of the package, by its path there, with its template."""
    for path, template in _below(_templates() / "plugin", PurePosixPath()):
        stem, _, ending = path.name.removesuffix(".template").rpartition(".")
        parts = [package if part == _PACKAGE else part for part in path.parent.parts]
        if ending not in get_args(Offer):
            yield PurePosixPath(*parts, f"{stem}.{ending}"), template
        elif ending == offer:
            yield PurePosixPath(*parts, stem if "." in stem else f"{stem}.py"), template


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
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Refuses a file that has come into being since it was looked for.
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
