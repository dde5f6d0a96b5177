"""`xharness models`: a study's models, or those of the registry, and how large they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError
from xharness.session.options import RunOptions

_COUNTS = ("parameters", "embedding", "outside embedding")


@flags.options_from("study", "data_root", "store", "plugins", "cards", "offline")
def list_models(
    options: RunOptions,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Without a study: fetch the configurations, for exact sizes."),
    ] = False,
    json: flags.Json = False,
) -> None:
    """List a study's models, or, without one, those that publications speak of.

    Sizes of a study's models are as its stored stages tell them, else as their configurations do.
    """
    if options.study is None:
        _list_registry(options, fetch=fetch, as_json=json)
    elif fetch:
        raise typer.BadParameter("a study's are fetched anyway", param_hint="--fetch")
    else:
        _list_study(options, as_json=json)


def _list_study(options: RunOptions, *, as_json: bool) -> None:
    from xharness.console import show_json, show_table
    from xharness.session.model_sizes import study_models
    from xharness.session.session import open_session

    rows = study_models(open_session(options))
    if as_json:
        show_json(rows)
    else:
        show_table([_study_cells(row) for row in rows], right=_COUNTS)


def _study_cells(row: dict[str, Any]) -> dict[str, Any]:
    from xharness.leaderboard.text import parameters

    options = ", ".join(f"{key}: {value}" for key, value in row["options"].items())
    return {
        "model": row["model"],
        "backend": f"{row['backend']}, by {row['by']}",
        "options": options,
        "pretrained here": row["pretrained here"],
        "parameters": parameters(row["parameters"]),
        "embedding": parameters(row["embedding"]),
        "outside embedding": parameters(row["outside_embedding"]),
    }


def _list_registry(options: RunOptions, *, fetch: bool, as_json: bool) -> None:
    """Print the registry; sizes as configurations say: those in the cache, or fetched ones.

    Raises:
        ConfigurationError: configurations shall be fetched, offline.
    """
    from xharness.console import show_json, show_table, tracked
    from xharness.session.catalogue import open_catalogue
    from xharness.session.environment import run_environment
    from xharness.session.model_sizes import registered_models
    from xharness.spec import registry

    environment = run_environment(None, Path.cwd(), offline=options.offline)
    if fetch and environment.offline:
        raise ConfigurationError("nothing can be fetched offline", where="--fetch")
    # Without `--fetch` offline: configurations in the cache are read, none is asked for.
    environment = replace(environment, offline=not fetch)
    catalogue = open_catalogue(options.plugins, options.cards)
    models = registry.models()
    models_with_bar = tracked(models, "fetching configurations") if fetch else models
    rows = registered_models(models_with_bar, catalogue, environment)
    if as_json:
        show_json(rows)
    else:
        show_table([_registry_cells(row) for row in rows], right=(*_COUNTS, "max length"))


def _registry_cells(row: dict[str, Any]) -> dict[str, Any]:
    from xharness.leaderboard.text import parameters

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
