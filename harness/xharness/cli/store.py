"""`xharness store`: what a store holds, whether it is whole, and what may go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from xharness.cli import flags, guard
from xharness.phrases import counted
from xharness.session.options import RunOptions


@flags.options_from("store")
def list_stages(options: RunOptions, json: flags.Json = False) -> None:
    """List the stages of a store, the largest first."""
    from xharness.console import show_json, show_table
    from xharness.session.store_contents import contents

    stored = sorted(contents(_root(options)), key=lambda entry: -entry.bytes)
    rows: list[dict[str, Any]] = [
        {"stage": entry.label, "state": entry.state, "size": entry.bytes, "key": entry.key}
        for entry in stored
    ]
    if json:
        show_json(rows)
        return
    shown = [{**row, "size": _megabytes(row["size"]), "key": row["key"][:10]} for row in rows]
    show_table(shown, title=str(_root(options)), right=("size",))
    print(f"{counted(len(rows), 'stage')}, {_megabytes(sum(entry.bytes for entry in stored))}")


@flags.options_from("store")
def verify(options: RunOptions, json: flags.Json = False) -> None:
    """Compare every stored file with its digest; exit code 1 where one differs."""
    from xharness.console import show_json, show_table
    from xharness.session.store_contents import damages

    rows = [{"key": key, "reason": reason} for key, reason in damages(_root(options))]
    if json:
        show_json(rows)
    else:
        show_table(rows, title="damaged")
        print(
            f"damaged: {counted(len(rows), 'stage')}" if rows else "every file is what was stored"
        )
    raise typer.Exit(guard.FAILED if rows else 0)


@flags.options_from("store")
def prune(
    options: RunOptions,
    weights: Annotated[
        bool, typer.Option("--weights", help="Remove the weights of finished trainings too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing.")] = False,
) -> None:
    """Remove what unfinished and failed stages left; scores and predictions stay.

    A stage that a process works on is left alone.
    """
    from xharness.session.store_contents import pruned

    freed = pruned(_root(options), weights=weights, dry_run=dry_run)
    print(f"{_megabytes(freed)} {'would be' if dry_run else 'are'} free")


@flags.options_from("store")
def move(
    options: RunOptions,
    target: Annotated[Path, typer.Argument(help="The folder that the store is to be.")],
) -> None:
    """Move a store, which no process may use meanwhile; a study then names it with --store."""
    from xharness.session.store_contents import moved

    print(f"{target}: {counted(moved(_root(options), target), 'stage')}")


def _root(options: RunOptions) -> Path:
    from xharness.session.environment import open_store

    return open_store(options.store, None, Path.cwd()).root


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
