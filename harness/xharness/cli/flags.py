"""The flags that several commands share, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from xharness.cli.guard import ask_for_traceback

SplitName = Literal["train", "validation", "test"]

OptionalStudy = Annotated[
    Path | None,
    typer.Argument(help="A study, as YAML; without one, the built-in demo.", show_default=False),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(
        "--data-root",
        metavar="DIR",
        envvar="XHARNESS_DATA_ROOT",
        help="Folder with plain local clones of the public data.",
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(
        "--store",
        metavar="DIR",
        envvar="XHARNESS_STORE",
        help="Folder of finished stages; default: the study's, else ./runs/store.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Folder for scores and leaderboard; default: beside the study.",
    ),
]
Plugin = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="NAME", help="A module or a .py file; may be repeated."),
]
Cards = Annotated[
    list[Path] | None,
    typer.Option("--cards", metavar="DIR", help="A folder of task cards; may be repeated."),
]
Split = Annotated[
    SplitName | None, typer.Option("--split", help="Score another split than the cards'.")
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        help="The first N items of each language and N training examples of each task; "
        "the scores are marked as limited.",
    ),
]
Languages = Annotated[
    list[str] | None,
    typer.Option(
        "--languages",
        "-l",
        metavar="CODES",
        help="Only these: en,sw,zh, script:Cyrl, family:Slavic.",
    ),
]
Suite = Annotated[
    str, typer.Option("--suite", metavar="NAME", help="xtreme, xtreme-r: a group with families.")
]
Seed = Annotated[
    str | None,
    typer.Option("--seed", metavar="N", help="In place of the study's seeds: 1 or 1,2,3."),
]
Device = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.")
]
Deterministic = Annotated[
    bool,
    typer.Option("--deterministic", help="Equal to the bit on the same hardware, if slower."),
]
Executor = Annotated[
    str | None,
    typer.Option("--executor", metavar="NAME", help="What carries out the plan: sequential, ray."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="The Ray cluster to join, or auto: the one of this machine.",
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")]
StrictData = Annotated[
    bool, typer.Option("--strict-data", help="Refuse data with unexpected row counts.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Tell only what failed or is missing.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="A line for each stage.")]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", callback=ask_for_traceback, help="Stop at the first failure, with a traceback."
    ),
]
