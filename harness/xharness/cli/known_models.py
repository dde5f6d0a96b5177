"""`xharness models list` without a study: the registry, with sizes as exact as can be had."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from xharness import registry
from xharness.catalogue import Catalogue
from xharness.cli.compose import open_catalogue, surroundings
from xharness.cli.models import COUNTS
from xharness.cli.wishes import Wishes
from xharness.console import show_json, show_table, tracked
from xharness.errors import ConfigurationError, UnavailableError
from xharness.extend import Sizes, Surroundings
from xharness.leaderboard.text import parameters
from xharness.registry import Known
from xharness.routes import Abilities
from xharness.study import ModelSpec


def show_known(wishes: Wishes, *, fetch: bool, as_json: bool) -> None:
    """Print the registry; sizes as configurations tell: those at hand, or fetched if asked for.

    Raises:
        ConfigurationError: configurations shall be fetched, offline.
    """
    around = surroundings(None, Path.cwd(), offline=wishes.offline)
    if fetch and around.offline:
        raise ConfigurationError("nothing can be fetched offline", where="--fetch")
    around = replace(around, offline=not fetch)
    catalogue = open_catalogue(wishes.plugins, wishes.cards)
    models = registry.models()
    asked = tracked(models, "fetching configurations") if fetch else models
    rows = [_row(one, _sizes(one, catalogue, around)) for one in asked]
    if as_json:
        show_json(rows)
        return
    show_table([_shown(row) for row in rows], right=(*COUNTS, "max length"))


def _sizes(known: Known, catalogue: Catalogue, around: Surroundings) -> Sizes | None:
    """What the model's configuration tells; a line says why one that should does not."""
    spec = ModelSpec(name=known.name, hub=known.hub, **known.options)
    try:
        sizes = Abilities(catalogue, spec, around).sizes()
    except UnavailableError as error:
        why = error.reason
    else:
        if sizes is not None or around.offline:
            return sizes
        why = "it has no configuration"
    print(f"{known.name} keeps the registry's sizes: {why}", file=sys.stderr)
    return None


def _row(known: Known, sizes: Sizes | None) -> dict[str, Any]:
    row = known.model_dump(mode="json")
    if sizes is None:
        return row
    counts = {"total": sizes.total, "embedding": sizes.embedding}
    return row | counts | {"non_embedding": sizes.non_embedding, "confidence": "configuration"}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": row["name"],
        "hub": row["hub"],
        "family": row["family"],
        "parameters": parameters(row["total"]),
        "embedding": parameters(row["embedding"]),
        "outside embedding": parameters(row["non_embedding"]),
        "tokenizer": row["tokenizer"],
        "max length": row["max_length"],
        "licence": row["licence"],
        "sizes": row["confidence"],
    }
