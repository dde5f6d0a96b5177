"""`xharness cards`: the tasks there are, one of them in full, and whether cards are right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from xharness.catalogue import Catalogue
from xharness.cli import guard
from xharness.cli.compose import open_catalogue, warn_of_broken
from xharness.console import show_json, show_table
from xharness.errors import ConfigurationError, suggestion

T = TypeVar("T")


def show_all(
    group: str | None, extra: Iterable[str], folders: Iterable[Path], *, as_json: bool
) -> None:
    """Print the cards, or those of a group."""
    catalogue = open_catalogue(extra, folders)
    warn_of_broken(catalogue.plugins)
    names = _members(catalogue, group) if group is not None else catalogue.card_files
    rows = [_row(catalogue, name) for name in names]
    if as_json:
        show_json(rows)
        return
    shown = [{**row, "languages": len(row["languages"])} for row in rows]
    show_table(shown, right=("languages",))


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


def _members(catalogue: Catalogue, group: str) -> tuple[str, ...]:
    if group not in catalogue.groups:
        hint = suggestion(group, catalogue.groups)
        raise ConfigurationError(f"there is no group '{group}'", hint=hint)
    return tuple(member.task for member in catalogue.groups[group].tasks)


def _row(catalogue: Catalogue, name: str) -> dict[str, Any]:
    card = catalogue.card_files[name].card
    return {
        "card": card.name,
        "kind": card.kind,
        "role": card.role,
        "languages": card.languages,
        "metrics": card.metrics,
        "trained on": card.train_on,
        "licence": card.about.licence,
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
