"""What can be typed: every command, put together from its own file."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

import typer

from xharness.cli import cards, flags, guard, leaderboard, new, store
from xharness.cli.compare import compare
from xharness.cli.convert import convert
from xharness.cli.doctor import doctor
from xharness.cli.eval import evaluate
from xharness.cli.export import export
from xharness.cli.import_ import import_
from xharness.cli.models import list_models
from xharness.cli.plan import plan
from xharness.cli.plugins import plugins
from xharness.cli.prefetch import prefetch
from xharness.cli.push import push
from xharness.cli.run import run
from xharness.cli.score import score
from xharness.cli.show import show

_VARIABLE = "_XHARNESS_COMPLETE"  # how typer's scripts ask a command `xharness`


def completion(
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"], typer.Argument(help="Your shell.")
    ],
) -> None:
    """Print the script that completes commands and flags, for a shell's start-up file.

    \b
    eval "$(xharness completion bash)"
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    print(get_completion_script(prog_name="xharness", complete_var=_VARIABLE, shell=shell))


def prepare_completion() -> None:
    """Let typer answer a shell, where one asks: every other start is spared the import."""
    if _VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()


_EXAMPLES = """\b
Examples:
  xharness eval --model ID --tasks xnli     one line, no file
  xharness run                              the built-in demo, offline, a few minutes
  xharness run study.yaml --data-root data  run a study; again: goes on where it stopped
  xharness plan study.yaml                  what would run, what is stored, what it costs
  xharness prefetch study.yaml              fetch all that it reads; then --offline will do
  xharness cards list --group xtreme-r      the tasks
  xharness leaderboard check FOLDER         is the committed board the one its scores give?

\b
Exit codes:
  0 done   1 some stages failed   2 usage or configuration   3 data, model or device unavailable
  130 interrupted, state saved
"""


def _group(**settings: object) -> typer.Typer:
    """Plain help: the rich one would take half of the time that `--help` may take."""
    return typer.Typer(
        cls=guard.Guarded,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        # Defects are told by `guard`, which knows `--debug`.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **settings,  # type: ignore[arg-type]
    )


# In the order in which `--help` lists them. Commands import what they need when they are called, so
# that `--help` waits neither for pyarrow nor for plugins.
app = _group(epilog=_EXAMPLES)
app.command("eval")(evaluate)
app.command()(run)
app.command()(plan)
app.command()(prefetch)
app.command()(plugins)
app.command()(show)
app.command()(score)
app.command()(export)
app.command("import")(import_)
app.command()(convert)
app.command()(push)
app.command()(compare)
app.command()(doctor)
app.command()(completion)

_new = _group(help="Write a study, a card or a plugin package to start from.")
_new.command("study")(new.new_study)
_new.command("card")(new.new_card)
_new.command("plugin")(new.new_plugin)
app.add_typer(_new, name="new")

_cards = _group(help="Look at task cards, and check them.")
_cards.command("list")(cards.list_cards)
_cards.command("show")(cards.show_card)
_cards.command("validate")(cards.validate)
_cards.command("docs")(cards.write_docs)
_cards.command("schema")(cards.print_schema)
app.add_typer(_cards, name="cards")

_models = _group(help="Look at models.")
_models.command("list")(list_models)
app.add_typer(_models, name="models")

_store = _group(help="Look at a store; check, prune or move it.")
_store.command("list")(store.list_stages)
_store.command("verify")(store.verify)
_store.command("prune")(store.prune)
_store.command("move")(store.move)
app.add_typer(_store, name="store")

_leaderboard = _group(help="Render boards; check, serve or export them.")
_leaderboard.command("build")(leaderboard.build)
_leaderboard.command("check")(leaderboard.check)
_leaderboard.command("serve")(leaderboard.serve)
_leaderboard.command("export")(leaderboard.export)
app.add_typer(_leaderboard, name="leaderboard")


def main() -> None:
    """The command `xharness`; flags may be spelt with underscores too."""
    guard.treat_termination_as_interrupt()
    prepare_completion()
    app(args=[_with_hyphens(word) for word in sys.argv[1:]], prog_name="xharness")


def _with_hyphens(word: str) -> str:
    """`--data_root=my_data` as `--data-root=my_data`."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def _print_version(requested: bool) -> None:
    if requested:
        from xharness.version import __version__

        print(f"xharness {__version__}")
        raise typer.Exit


@app.callback()
def _main_options(
    version: Annotated[
        bool,
        typer.Option(
            # Eager: answered before anything is said about a missing command.
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
    debug: flags.Debug = False,
) -> None:
    """Zero-shot cross-lingual transfer: task cards in, a leaderboard of gaps out."""
