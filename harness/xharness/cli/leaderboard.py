"""`xharness leaderboard`: boards again from their scores; checked, served and exported."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xharness.cli import flags, guard
from xharness.errors import ConfigurationError, suggestion
from xharness.files import write_bytes, writing
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xharness.leaderboard.board import Definitions

_RECORDS = "every-eval-ever"
"""The format that is a folder of records; the others are one file."""

_Folders = Annotated[list[Path], typer.Argument(help="Folders with study.yaml and scores.jsonl.")]


def build(folders: _Folders, plugin: flags.Plugins = None) -> None:
    """Render boards from their scores."""
    from xharness import leaderboard

    definitions = _definitions(plugin)
    for folder in folders:
        for path in leaderboard.write(folder, *definitions):
            print(path)


def check(folders: _Folders, plugin: flags.Plugins = None) -> None:
    """Exit code 1 where a board is not what its scores give."""
    from xharness import leaderboard

    definitions = _definitions(plugin)
    any_differs = False
    for folder in folders:
        differences = leaderboard.check(folder, *definitions)
        any_differs |= bool(differences)
        print("\n".join(differences) if differences else f"{folder}: as its scores say")
    # After all folders, so that CI shows every difference at once.
    raise typer.Exit(guard.FAILED if any_differs else 0)


@flags.options_from("store", "data_root", "plugins", "cards", "offline")
def serve(
    options: RunOptions,
    folder: Annotated[Path, typer.Argument(help="A folder with leaderboard.html.")],
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")
    ] = 8100,
) -> None:
    """Show a board in a browser, on this machine alone; cells of its map lead to their items.

    Items are read from the store and the data when they are asked for.
    """
    from xharness.session.board_server import HOST, open_server
    from xharness.session.item_pages import open_item_pages

    with open_server(folder, port, open_item_pages(folder, options)) as server:
        # Flushed: a script that started the server waits for the address.
        print(f"http://{HOST}:{server.server_port}/  (Ctrl-C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def export(
    folder: Annotated[Path, typer.Argument(help="A folder with study.yaml and scores.jsonl.")],
    target: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="Its ending says the format.")
    ],
    format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help="csv, json, parquet; every-eval-ever, into a folder."
        ),
    ] = None,
    organization: Annotated[
        str, typer.Option("--organization", metavar="NAME", help="Who made it; every-eval-ever.")
    ] = "unknown",
    plugin: flags.Plugins = None,
) -> None:
    """Write a board's rows for other programs.

    \b
    xharness leaderboard export runs/demo --to scores.parquet
    xharness leaderboard export runs/demo --to records --format every-eval-ever
    """
    from xharness import leaderboard
    from xharness.leaderboard.exports import FORMATS
    from xharness.leaderboard.exports.every_eval_ever import to_records

    format_name = _format(target, format, [*FORMATS, _RECORDS])
    definitions = _definitions(plugin)
    board = leaderboard.read(folder, *definitions)
    if format_name == _RECORDS:
        # The one export that says when it was made, because its schema asks.
        records = to_records(board, definitions.metrics, int(time.time()), organization)
        contents = {target / f"{name}.json": _json(record) for name, record in records.items()}
    else:
        contents = {target: FORMATS[format_name](board)}
    for path, content in contents.items():
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, content)
        print(path)


def _definitions(plugins: Iterable[str] | None) -> Definitions:
    from xharness import leaderboard
    from xharness.session.catalogue import open_catalogue

    return leaderboard.definitions_of(open_catalogue(plugins or ()))


def _format(target: Path, name: str | None, formats: list[str]) -> str:
    """The format of that name, else the one that the target's ending says."""
    if name is not None:
        if name not in formats:
            raise ConfigurationError(f"there is no format '{name}'", hint=suggestion(name, formats))
        return name
    ending = target.suffix.removeprefix(".")
    if ending in formats:
        return ending
    endings = ", ".join(f".{format_name}" for format_name in formats if format_name != _RECORDS)
    raise ConfigurationError(
        "the file's name does not say the format",
        where=str(target),
        hint=f"end it with {endings}, or name one of {', '.join(formats)} with --format",
    )


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
