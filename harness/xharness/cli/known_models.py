"""`xharness models list` without a study: the registry, with sizes as exact as can be had."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from xharness.cli.models import COUNTS
from xharness.console import show_json, show_table, tracked
from xharness.errors import ConfigurationError, UnavailableError
from xharness.leaderboard.text import parameters
from xharness.planning import Capabilities
from xharness.plugin.api import RunEnvironment, Sizes
from xharness.plugin.catalogue import Catalogue
from xharness.session.options import Options
from xharness.session.session import open_catalogue, run_environment
from xharness.spec import registry
from xharness.spec.models import ModelSpec
from xharness.spec.registry import RegisteredModel


def show_known(wishes: Options, *, fetch: bool, as_json: bool) -> None:
    """Print the registry; sizes as configurations tell: those at hand, or fetched if asked for.

    Raises:
        ConfigurationError: configurations shall be fetched, offline.
    """
    around = run_environment(None, Path.cwd(), offline=wishes.offline)
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


def _sizes(known: RegisteredModel, catalogue: Catalogue, around: RunEnvironment) -> Sizes | None:
    """What the model's configuration tells; a line says why one that should does not."""
    spec = ModelSpec(name=known.name, hub=known.hub, **known.options)
    try:
        sizes = Capabilities(catalogue, spec, around).sizes()
    except UnavailableError as error:
        why = error.reason
    else:
        if sizes is not None or around.offline:
            return sizes
        why = "it has no configuration"
    print(f"{known.name} keeps the registry's sizes: {why}", file=sys.stderr)
    return None


def _row(known: RegisteredModel, sizes: Sizes | None) -> dict[str, Any]:
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
        "license": row["license"],
        "sizes": row["confidence"],
    }
