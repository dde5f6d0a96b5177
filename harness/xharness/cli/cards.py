"""`xharness cards`: the tasks there are, one of them in full, and whether cards are right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from xharness.cli import guard, pages
from xharness.console import show_json, show_table
from xharness.errors import ConfigurationError, suggestion
from xharness.plugin.catalogue import Catalogue
from xharness.session.session import open_catalogue, warn_of_broken
from xharness.spec.cards import Role, TaskCard
from xharness.spec.groups import GroupMember

T = TypeVar("T")


@dataclass(frozen=True)
class CardFilter:
    """Which cards are asked for; None: whatever it is."""

    group: str | None = None
    role: str | None = None
    kind: str | None = None


def show_all(
    wanted: CardFilter, extra: Iterable[str], folders: Iterable[Path], *, as_json: bool
) -> None:
    """Print the cards, or those that are wanted."""
    catalogue = open_catalogue(extra, folders)
    warn_of_broken(catalogue.plugins)
    rows = [*_rows(catalogue, wanted)]
    if as_json:
        show_json(rows)
        return
    show_table([_brief(row) for row in rows], right=("languages",))
    if not rows:
        print("no card is like that")


def show_one(name: str, extra: Iterable[str], folders: Iterable[Path], *, as_json: bool) -> None:
    """Print one card."""
    catalogue = open_catalogue(extra, folders)
    card, provider = catalogue.card(name), catalogue.card_files.provider(name)
    if as_json:
        values = card.model_dump(mode="json", by_alias=True, exclude_unset=True)
        show_json({**values, "offered_by": str(provider)})
        return
    file = catalogue.card_files[name].file
    print(f"# {file}\n# offered by {provider}")
    print(file.read_text(encoding="utf-8"), end="")


def validate(paths: tuple[Path, ...], extra: Iterable[str], *, as_json: bool) -> int:
    """Check card files and folders, or all known cards; 2 where one is wrong."""
    catalogue = open_catalogue(extra)
    warn_of_broken(catalogue.plugins)
    checks = _checks(catalogue, paths)
    wrong = {name: told for name, told in checks.items() if told is not None}
    if as_json:
        show_json([{"card": name, "error": told} for name, told in checks.items()])
    else:
        for told in wrong.values():
            print(f"error: {told}", file=sys.stderr)
        print(f"{len(checks) - len(wrong)} of {len(checks)} cards are right")
    return guard.WRONG if wrong else 0


def write_pages(
    folder: Path, extra: Iterable[str], folders: Iterable[Path], *, as_json: bool
) -> None:
    """Write a page for each card, and an index.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    catalogue = open_catalogue(extra, folders)
    warn_of_broken(catalogue.plugins)
    try:
        files = pages.write(catalogue, folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=str(folder)) from None
    if as_json:
        show_json(files)
    else:
        print(f"{len(files)} pages in {folder}")


def _rows(catalogue: Catalogue, wanted: CardFilter) -> Iterator[dict[str, Any]]:
    for noun, name, known in (
        ("group", wanted.group, [*catalogue.groups]),
        ("role", wanted.role, get_args(Role)),
        ("kind of task", wanted.kind, [*catalogue.task_types]),
    ):
        if name is not None and name not in known:
            raise ConfigurationError(f"there is no {noun} '{name}'", hint=suggestion(name, known))
    whole = catalogue.members(wanted.group) if wanted.group else map(_whole, catalogue.card_files)
    for member in whole:
        card = catalogue.card_files[member.task].card
        if wanted.role in (None, card.role) and wanted.kind in (None, card.task_type):
            yield _row(card, member.languages or card.languages)


def _whole(name: str) -> GroupMember:
    return GroupMember(task=name)


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


def _checks(catalogue: Catalogue, paths: tuple[Path, ...]) -> dict[str, str | None]:
    """Card to what is wrong with it; None where nothing is.

    Raises:
        ConfigurationError: there is no card at a path.
    """
    if not paths:
        return {name: _wrong(catalogue.card, name) for name in catalogue.card_files}
    files = [file for path in paths for file in _files(path)]
    return {str(file): _wrong(catalogue.check_file, file) for file in files}


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.rglob("*.yaml") if one.name != "groups.yaml")
    if not found:
        raise ConfigurationError("there are no cards (*.yaml) in this folder", where=str(path))
    return found


def _wrong(check: Callable[[T], object], what: T) -> str | None:
    try:
        check(what)
    except ConfigurationError as error:
        return str(error)
    return None
