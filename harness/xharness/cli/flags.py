"""The flags that several commands share, each with its help and said once.

A command that takes `options: RunOptions` is decorated with the names of the fields that its flags
set; typer then sees those flags before the command's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from xharness.cli.guard import ask_for_traceback
from xharness.session.options import RunOptions

SplitName = Literal["train", "validation", "dev", "test"]

Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="NAME", help="A module or a .py file; may be repeated."),
]
Cards = Annotated[
    list[Path] | None,
    typer.Option("--cards", metavar="DIR", help="A folder of task cards; may be repeated."),
]
Languages = Annotated[
    list[str] | None,
    typer.Option(
        "--languages",
        "--language",
        "-l",
        metavar="CODES",
        help="Only these: en,sw,zh, script:Cyrl, family:Slavic.",
    ),
]
Suite = Annotated[
    str, typer.Option("--suite", metavar="NAME", help="xtreme, xtreme-r: a group with families.")
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

_FLAGS: dict[str, tuple[Any, Any]] = {
    "study": (
        Annotated[
            Path | None,
            typer.Argument(
                help="A study, as YAML; without one, the built-in demo.", show_default=False
            ),
        ],
        None,
    ),
    "data_root": (
        Annotated[
            Path | None,
            typer.Option(
                "--data-root",
                metavar="DIR",
                envvar="XHARNESS_DATA_ROOT",
                help="Folder with plain local clones of the public data.",
            ),
        ],
        None,
    ),
    "store": (
        Annotated[
            Path | None,
            typer.Option(
                "--store",
                metavar="DIR",
                envvar="XHARNESS_STORE",
                help="Folder of finished stages; default: the study's, else ./runs/store.",
            ),
        ],
        None,
    ),
    "output": (
        Annotated[
            Path | None,
            typer.Option(
                "--output",
                "-o",
                metavar="DIR",
                help="Folder for scores and leaderboard; default: beside the study.",
            ),
        ],
        None,
    ),
    "plugins": (Plugins, None),
    "cards": (Cards, None),
    "split": (
        Annotated[
            SplitName | None,
            typer.Option("--split", help="Score another split than the cards'; dev is validation."),
        ],
        None,
    ),
    "limit": (
        Annotated[
            int | None,
            typer.Option(
                "--limit",
                metavar="N",
                min=1,
                help="The first N items of each language and N training examples of each task; "
                "the scores are marked as limited.",
            ),
        ],
        None,
    ),
    "languages": (Languages, None),
    "seeds": (
        Annotated[
            str | None,
            typer.Option("--seed", metavar="N", help="In place of the study's seeds: 1 or 1,2,3."),
        ],
        None,
    ),
    "device": (
        Annotated[
            str | None, typer.Option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps.")
        ],
        None,
    ),
    "executor": (
        Annotated[
            str | None,
            typer.Option(
                "--executor", metavar="NAME", help="What carries out the plan: sequential, ray."
            ),
        ],
        None,
    ),
    "address": (
        Annotated[
            str | None,
            typer.Option(
                "--address",
                metavar="HOST:PORT",
                help="The Ray cluster to join, or auto: the one of this machine.",
            ),
        ],
        None,
    ),
    "budget": (
        Annotated[
            str | None,
            typer.Option(
                "--budget", metavar="TIME", help="Refuse what takes longer: 20h, 90min, 2d."
            ),
        ],
        None,
    ),
    "trackers": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--trackers",
                metavar="NAMES",
                help="Show the run there too: tensorboard,mlflow,wandb.",
            ),
        ],
        None,
    ),
    "offline": (
        Annotated[bool, typer.Option("--offline", help="Use only what is on this machine.")],
        False,
    ),
    "strict_data": (
        Annotated[
            bool, typer.Option("--strict-data", help="Refuse data with unexpected row counts.")
        ],
        False,
    ),
    "debug": (Debug, False),
    "deterministic": (
        Annotated[
            bool,
            typer.Option(
                "--deterministic", help="Equal to the bit on the same hardware, if slower."
            ),
        ],
        False,
    ),
}
"""Field of `RunOptions` to the flag's type, with its help, and its default."""

QUESTION = (
    "study", "data_root", "store", "plugins", "cards", "split", "limit", "languages", "seeds",
    "offline", "debug",
)  # fmt: skip
"""What a plan hangs on."""
RUN = (
    *QUESTION, "output", "device", "executor", "address", "budget", "trackers", "strict_data",
    "deterministic",
)  # fmt: skip


def options_from(*fields: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the flags of these fields; it gets them as its argument `options`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def invoke(**values: Any) -> None:
            options = RunOptions.of(**{name: values.pop(name) for name in fields})
            command(options=options, **values)

        # Annotations are text here (`from __future__ import annotations`); typer needs the types.
        signature = inspect.signature(command, eval_str=True)
        parameters = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=_FLAGS[name][1],
                annotation=_FLAGS[name][0],
            )
            for name in fields
        ] + [
            # By keyword, so that shared flags may have defaults before arguments that have none.
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in signature.parameters.items()
            if name != "options"
        ]
        # typer reads the signature for names and defaults, and the annotations for types.
        del invoke.__dict__["__wrapped__"]
        invoke.__dict__["__signature__"] = signature.replace(parameters=parameters)
        invoke.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return invoke

    return decorate
