"""`xharness prefetch`: fetch all that a study reads, so that it can run without a network."""

from __future__ import annotations

from typing import Annotated

import typer

from xharness.cli import flags, guard
from xharness.session.options import RunOptions


@flags.options_from(*flags.QUESTION)
def prefetch(
    options: RunOptions,
    only_list: Annotated[
        bool, typer.Option("--list", help="Say what would be fetched, and how large it is.")
    ] = False,
    json: flags.Json = False,
) -> None:
    """Fetch the data, models and tokenizers that a study reads; check counts and hashes.

    What was fetched is held in xharness.lock beside the study. Exit code 3 where something cannot
    be had, or is not what it was or should be.

    \b
    xharness prefetch study.yaml --list
    xharness prefetch study.yaml && xharness run study.yaml --offline
    """
    from xharness.console import show_json, show_table, tracked
    from xharness.session.prefetch import download_rows, resources
    from xharness.session.session import open_session

    wanted_resources = resources(open_session(options))
    if only_list:
        rows = download_rows(wanted_resources)
    else:
        problems = {
            resource.name: resource.problem()
            for resource in tracked(wanted_resources, "fetching and checking")
        }
        rows = [{"name": name, "problem": reason} for name, reason in problems.items() if reason]
    with guard.readers_may_leave():
        if json:
            show_json(rows)
        elif only_list:
            shown = [row | {"bytes": _size(row["bytes"])} for row in rows]
            show_table(shown, title="to fetch", right=("files", "bytes"))
            print(_summary([row["bytes"] for row in rows]))
        else:
            show_table(rows, title="not here in full")
            print(f"{len(wanted_resources) - len(rows)} of {len(wanted_resources)} are here")
    raise typer.Exit(guard.UNAVAILABLE if any(row["problem"] for row in rows) else 0)


def _summary(sizes: list[int | None]) -> str:
    if not sizes:
        return "everything is here"
    unknown_count = sizes.count(None)
    text = f"{_size(sum(size or 0 for size in sizes))} to fetch"
    return f"{text}, and {unknown_count} of unknown size" if unknown_count else text


def _size(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e6:,.1f} MB"
