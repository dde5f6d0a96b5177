"""`xharness plugins`: who offers what."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from xharness.cli import flags

if TYPE_CHECKING:
    from xharness.plugin.catalogue import Catalogue
    from xharness.plugin.manager import Provider
    from xharness.plugin.registry import Registry

_LISTED = 8
"""How many names of one noun are listed; more are counted."""


def plugins(plugin: flags.Plugins = None, json: flags.Json = False) -> None:
    """List plugins: offers, broken ones, duplicates."""
    from xharness.console import show_json, show_table
    from xharness.session.catalogue import open_catalogue

    catalogue = open_catalogue(plugin or ())
    offers = [_row(provider, catalogue) for provider in catalogue.plugins.providers.values()]
    broken = [
        {"plugin": str(plugin.provider), "reason": plugin.reason}
        for plugin in catalogue.plugins.broken
    ]
    duplicates = _duplicates(catalogue)
    if json:
        show_json({"plugins": offers, "broken": broken, "duplicates": duplicates})
        return
    show_table([{**row, "offers": _in_words(row["offers"])} for row in offers])
    show_table(broken, title="broken")
    show_table(duplicates, title="offered more than once")
    # Here, where the guard still hears of a reader that has left.
    sys.stdout.flush()


def registries(catalogue: Catalogue) -> dict[str, Registry[Any]]:
    """Every registry by what it holds."""
    return {
        "cards": catalogue.card_files,
        "task_types": catalogue.task_types,
        "sources": catalogue.sources,
        "backends": catalogue.backends,
        "strategies": catalogue.strategies,
        "translators": catalogue.translators,
        "executors": catalogue.executors,
        "trackers": catalogue.trackers,
    }


def _row(provider: Provider, catalogue: Catalogue) -> dict[str, Any]:
    offers = {
        noun: [
            name
            for name in registry
            if any(offer_provider == provider for offer_provider, _ in registry.offers[name])
        ]
        for noun, registry in registries(catalogue).items()
    }
    return {
        "plugin": provider.plugin,
        "from": provider.distribution,
        "offers": {noun: names for noun, names in offers.items() if names},
    }


def _in_words(offers: dict[str, list[str]]) -> str:
    phrases = (
        f"{noun}: {', '.join(names)}" if len(names) <= _LISTED else f"{noun}: {len(names)}"
        for noun, names in offers.items()
    )
    return "; ".join(phrases)


def _duplicates(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "noun": registry.noun,
            "name": name,
            "by": registry.providers(name),
        }
        for registry in registries(catalogue).values()
        for name, offers in registry.offers.items()
        if len(offers) > 1
    ]
