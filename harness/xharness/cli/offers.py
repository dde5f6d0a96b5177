"""`xharness plugins`: who offers what."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from xharness.console import show_json, show_table
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.manager import Provider
from xharness.plugin.registry import Registry
from xharness.session.session import open_catalogue


def show(extra: Iterable[str], *, as_json: bool) -> None:
    """Print the plugins, the broken ones, and names that several offer."""
    catalogue = open_catalogue(extra)
    found = catalogue.plugins
    offers = [_row(provider, catalogue) for provider in found.providers.values()]
    broken = [{"plugin": str(one.provider), "reason": one.reason} for one in found.broken]
    twice = _duplicates(catalogue)
    if as_json:
        show_json({"plugins": offers, "broken": broken, "duplicates": twice})
        return
    show_table([{**row, "offers": _told(row["offers"])} for row in offers])
    show_table(broken, title="broken")
    show_table(twice, title="offered more than once")
    sys.stdout.flush()


def shelves(catalogue: Catalogue) -> dict[str, Registry[Any]]:
    """Every shelf by what is on it."""
    return {
        "cards": catalogue.card_files,
        "task_types": catalogue.task_types,
        "sources": catalogue.sources,
        "backends": catalogue.backends,
        "strategies": catalogue.strategies,
        "translators": catalogue.translators,
        "executors": catalogue.executors,
    }


def _row(provider: Provider, catalogue: Catalogue) -> dict[str, Any]:
    offers = {
        noun: [name for name in shelf if any(who == provider for who, _ in shelf.offers[name])]
        for noun, shelf in shelves(catalogue).items()
    }
    return {
        "plugin": provider.plugin,
        "from": provider.distribution,
        "offers": {noun: names for noun, names in offers.items() if names},
    }


def _told(offers: dict[str, list[str]]) -> str:
    """Names, where they are few; how many, where they are many."""
    told = (
        f"{noun}: {', '.join(names)}" if len(names) <= 8 else f"{noun}: {len(names)}"
        for noun, names in offers.items()
    )
    return "; ".join(told)


def _duplicates(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {"noun": shelf.noun, "name": name, "by": " and ".join(str(who) for who, _ in found)}
        for shelf in shelves(catalogue).values()
        for name, found in shelf.offers.items()
        if len(found) > 1
    ]
