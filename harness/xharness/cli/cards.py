"""`xharness cards`: the tasks there are, one of them in full, and whether cards are right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from xharness.cli import flags, guard
from xharness.errors import ConfigurationError, suggestion
from xharness.files import writing
from xharness.phrases import counted
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.plugin.catalogue import Catalogue
    from xharness.session.items import AnsweredItem
    from xharness.spec.cards import TaskCard

T = TypeVar("T")


def list_cards(
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Only this group's.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="NAME", help="Only these: target, intermediate, corpus."),
    ] = None,
    task_type: Annotated[
        str | None, typer.Option("--task-type", metavar="NAME", help="Only tasks of this type.")
    ] = None,
    plugin: flags.Plugins = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """List the cards that studies can name.

    \b
    xharness cards list --group xtreme-r
    xharness cards list --role intermediate --task-type multiple_choice
    """
    from xharness.console import show_json, show_table

    rows = [*_rows(_catalogue(plugin, cards), group, role, task_type)]
    if json:
        show_json(rows)
        return
    show_table([_brief(row) for row in rows], right=("languages",))
    if not rows:
        print("no card is like that")


def show_card(
    name: Annotated[str, typer.Argument(help="The card's name.")],
    plugin: flags.Plugins = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """Show one card, and who offers it."""
    from xharness.console import show_json

    catalogue = _catalogue(plugin, cards)
    task, _ = catalogue.task_in_language(name) or (name, None)
    group = catalogue.task_name(task)
    if group in catalogue.groups.offers:
        raise ConfigurationError(
            f"'{group}' is a group of tasks", hint=f"xharness cards list --group {group}"
        )
    card = catalogue.card(task)
    provider = catalogue.card_files.provider(card.name)
    if json:
        # What the card does not say stays out: defaults may change with a release.
        values = card.model_dump(mode="json", by_alias=True, exclude_unset=True)
        show_json({**values, "offered_by": str(provider)})
        return
    file = catalogue.card_files[card.name].file
    print(f"# {file}\n# offered by {provider}")
    print(file.read_text(encoding="utf-8"), end="")


RowCount = Annotated[
    int,
    typer.Option(
        "--rows", metavar="N", min=0, help="Read so many rows, and show them as a model sees them."
    ),
]


@flags.options_from("data_root", "plugins", "offline")
def validate(
    options: RunOptions,
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Card files or folders; default: all known cards.")
    ] = None,
    row_count: RowCount = 0,
    json: flags.Json = False,
) -> None:
    """Check cards; exit code 2 where one is wrong, 3 where rows are asked for and not to be had.

    \b
    xharness cards validate my_cards --rows 3 --data-root data
    """
    from xharness.console import show_json

    if row_count and not paths:
        raise ConfigurationError("name the cards whose rows shall be shown", where="--rows")
    errors = _errors(_catalogue(options.plugins, _group_files(paths or ())), paths or ())
    wrong_count = sum(error is not None for error in errors.values())
    # Not while a card is wrong: the rows of others may be read by what it says.
    cards = _card_rows(paths or (), row_count, options) if row_count and not wrong_count else ()
    if json:
        rows = {str(file): {"rows": card_rows} for file, _, card_rows in cards}
        show_json(
            [{"card": name, "error": error, **rows.get(name, {})} for name, error in errors.items()]
        )
    else:
        for error in filter(None, errors.values()):
            print(f"error: {error}", file=sys.stderr)
        print(f"{len(errors) - wrong_count} of {len(errors)} cards are right")
        for _, card, card_rows in cards:
            _print_rows(card, card_rows)
    if wrong_count:
        raise typer.Exit(guard.WRONG)


def _card_rows(
    paths: Sequence[Path], count: int, options: RunOptions
) -> Iterator[tuple[Path, TaskCard, list[dict[str, str]]]]:
    """The first items of each card: what a model is asked, and what would be right.

    Raises:
        UnavailableError: the rows of a card cannot be had, or do not fit it.
    """
    from xharness.session.card_rows import card_items
    from xharness.session.environment import run_environment

    files = [file for path in paths for file in _card_files(path)]
    known = _catalogue(options.plugins)
    # A card that a plugin offers would stand there twice, and its name be ambiguous.
    strangers = [file for file in files if not _is_offered(file, known)]
    catalogue = _catalogue(options.plugins, [*_group_files(paths), *strangers])
    environment = run_environment(options.data_root, Path.cwd(), offline=options.offline)
    for file in files:
        card = catalogue.card(file.stem)
        yield file, card, [*map(_item_row, card_items(card, catalogue, environment, count))]


def _item_row(item: AnsweredItem) -> dict[str, str]:
    words = {**item.texts, "gold": item.gold, "prompted with": item.prompt}
    texts = {name: text for name, text in words.items() if text}
    return {"item": item.item, "language": item.language, **texts}


def _print_rows(card: TaskCard, rows: Iterable[dict[str, str]]) -> None:
    print(f"\n# {card.name}: {card.task_type}")
    for row in rows:
        print(f"\nitem {row.pop('item')} ({row.pop('language')})")
        for name, text in row.items():
            print(f"  {name:<8} {text}")


def _is_offered(file: Path, catalogue: Catalogue) -> bool:
    """Whether a plugin offers this very file already."""
    offers = catalogue.card_files.offers.get(file.stem, [])
    return any(
        isinstance(offer.file, Path) and offer.file.resolve() == file.resolve()
        for _, offer in offers
    )


def write_docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages go.")] = Path("docs/tasks"),
    plugin: flags.Plugins = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """Write a page of Markdown for each card, and an index.

    In a checkout of xharness also the schema that editors check cards with.

    \b
    xharness cards docs docs/tasks
    """
    from xharness.console import show_json
    from xharness.plugin.card_files import builtin_folder
    from xharness.session import card_pages, card_schema

    catalogue, builtin_cards = _catalogue(plugin, cards), builtin_folder()
    with writing(folder):
        files = card_pages.write(catalogue, folder)
    # Nowhere else: the cards of an installed package are not the user's to change.
    if isinstance(builtin_cards, Path) and builtin_cards.is_relative_to(Path.cwd()):
        with writing(builtin_cards):
            files += card_schema.write(catalogue, builtin_cards)
    if json:
        show_json(files)
    else:
        for file in files:
            print(f"{file}{'' if file.exists() else ': removed'}")
        print(f"{counted(len(files), 'file')} changed" if files else "all is as the cards say")


def print_schema(plugin: flags.Plugins = None) -> None:
    """Print the JSON Schema of cards, for editors."""
    from xharness.session import card_schema

    print(card_schema.text(_catalogue(plugin)), end="")


def _catalogue(plugins: Iterable[object] | None, cards: Iterable[Path] | None = None) -> Catalogue:
    from xharness.session.catalogue import open_catalogue, warn_of_broken

    catalogue = open_catalogue(plugins or (), cards or ())
    warn_of_broken(catalogue.plugins)
    return catalogue


def _rows(
    catalogue: Catalogue, group: str | None, role: str | None, task_type: str | None
) -> Iterator[dict[str, Any]]:
    from xharness.spec.cards import Role
    from xharness.spec.groups import GroupMember

    group = group and (catalogue.task_name(group) or group)
    for noun, name, names in (
        ("group", group, [*catalogue.groups]),
        ("role", role, get_args(Role)),
        ("task type", task_type, [*catalogue.task_types]),
    ):
        if name is not None and name not in names:
            raise ConfigurationError(f"there is no {noun} '{name}'", hint=suggestion(name, names))
    if group is not None:
        members: Iterable[GroupMember] = catalogue.members(group)
    else:
        members = (GroupMember(task=name) for name in catalogue.card_files)
    for member in members:
        # Not checked against what it names: a list is quick, and has cards whose plugin is missing.
        card = catalogue.card_files[member.task].card
        if role in (None, card.role) and task_type in (None, card.task_type):
            yield _row(card, member.languages or card.languages)


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    """What fits beside each other on a screen."""
    return {
        "card": row["card"],
        "task_type": row["task_type"],
        "role": row["role"],
        "languages": len(row["languages"]),
        "score": row["metrics"][0] if row["metrics"] else None,
        "trained on": row["trained on"] or None,
        "title": row["title"],
    }


def _row(card: TaskCard, languages: Iterable[str]) -> dict[str, Any]:
    return {
        "card": card.name,
        "task_type": card.task_type,
        "role": card.role,
        "languages": tuple(languages),
        "metrics": card.metrics,
        "trained on": card.train_on,
        "license": card.about.license,
        "title": card.about.title,
    }


def _errors(catalogue: Catalogue, paths: Iterable[Path]) -> dict[str, str | None]:
    """Card to what is wrong with it; None where nothing is.

    Raises:
        ConfigurationError: there is no card at a path.
    """
    files = [file for path in paths for file in _card_files(path)]
    if not files:
        return {name: _error(catalogue.card, name) for name in catalogue.card_files}
    return {str(file): _error(catalogue.check_file, file) for file in files}


def _card_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    # Groups are checked with the cards that name them.
    files = sorted(file for file in path.rglob("*.yaml") if file.name != "groups.yaml")
    if not files:
        raise ConfigurationError("there are no cards (*.yaml) in this folder", where=str(path))
    return files


def _group_files(paths: Iterable[Path]) -> list[Path]:
    """The groups that lie beside cards, which may name them."""
    folders = {path if path.is_dir() else path.parent for path in paths}
    return sorted({file for folder in folders for file in folder.glob("groups.yaml")})


def _error(check: Callable[[T], object], card: T) -> str | None:
    try:
        check(card)
    except ConfigurationError as error:
        return str(error)
    return None
