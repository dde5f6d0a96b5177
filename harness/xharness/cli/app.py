"""Every command with its flags; what a command does is in the module its body imports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xharness.cli import flags, guard
from xharness.cli.wishes import Wishes

_EXAMPLES = """\b
Examples:
  xharness run                              the built-in demo, offline, a few minutes
  xharness run study.yaml --data-root data  run a study; again: goes on where it stopped
  xharness plan study.yaml                  what would run, what is stored, what it costs
  xharness cards list --group xtreme-r      the tasks
  xharness leaderboard check leaderboard/*  is the committed board the one its scores give?

\b
Exit codes:
  0 done   1 some stages failed   2 usage or configuration   3 data or model unavailable
  130 interrupted, state saved
"""


def _group(**settings: object) -> typer.Typer:
    """Plain help: the rich one would take half of the time that `--help` may take."""
    return typer.Typer(
        cls=guard.Guarded,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **settings,  # type: ignore[arg-type]
    )


app = _group(epilog=_EXAMPLES)
_cards = _group(help="Look at task cards, and check them.")
_models = _group(help="Look at a study's models.")
_boards = _group(help="Render boards, or check them.")
app.add_typer(_cards, name="cards")
app.add_typer(_models, name="models")
app.add_typer(_boards, name="leaderboard")


def main() -> None:
    """The command `xharness`; flags may be spelt with underscores too."""
    guard.treat_termination_as_interrupt()
    app(args=[_with_hyphens(word) for word in sys.argv[1:]], prog_name="xharness")


def _with_hyphens(word: str) -> str:
    """`--data_root=my_data` as `--data-root=my_data`."""
    name, equals, value = word.partition("=")
    return name.replace("_", "-") + equals + value if word.startswith("--") else word


def _version(wanted: bool) -> None:
    if wanted:
        from xharness import __version__

        print(f"xharness {__version__}")
        raise typer.Exit


@app.callback()
def _everything(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: flags.Debug = False,
) -> None:
    """Zero-shot cross-lingual transfer: task cards in, a leaderboard of gaps out."""


@app.command()
def run(
    study: flags.OptionalStudy = None,
    data_root: flags.DataRoot = None,
    store: flags.Store = None,
    output: flags.Output = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    split: flags.Split = None,
    limit: flags.Limit = None,
    languages: flags.Languages = None,
    seed: flags.Seed = None,
    device: flags.Device = None,
    executor: flags.Executor = "sequential",
    offline: flags.Offline = False,
    strict_data: flags.StrictData = False,
    debug: flags.Debug = False,
    quiet: flags.Quiet = False,
    verbose: flags.Verbose = False,
    json: flags.Json = False,
) -> None:
    """Run a study, or go on with it.

    What is stored is reused; the same command again goes on where it stopped.

    \b
    xharness run
    xharness run study.yaml --data-root data --device cuda
    xharness run study.yaml --limit 50 --languages en,sw
    """
    from xharness.cli.running import run as carry_out

    wishes = Wishes(
        study, data_root, store, output, tuple(plugin or ()), tuple(cards or ()), split, limit,
        _codes(languages), _seeds(seed), device, executor, offline, strict_data, debug,
    )  # fmt: skip
    raise typer.Exit(carry_out(wishes, quiet=quiet, verbose=verbose, as_json=json))


@app.command()
def plan(
    study: flags.OptionalStudy = None,
    data_root: flags.DataRoot = None,
    store: flags.Store = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    split: flags.Split = None,
    limit: flags.Limit = None,
    languages: flags.Languages = None,
    seed: flags.Seed = None,
    offline: flags.Offline = False,
    debug: flags.Debug = False,
    json: flags.Json = False,
) -> None:
    """Show what a run would do, and cost; exit code 3 where data or a model is unavailable.

    \b
    xharness plan study.yaml --data-root data
    """
    from xharness.cli.planning import show

    wishes = Wishes(
        study, data_root, store, None, tuple(plugin or ()), tuple(cards or ()), split, limit,
        _codes(languages), _seeds(seed), offline=offline, debug=debug,
    )  # fmt: skip
    raise typer.Exit(show(wishes, as_json=json))


@app.command()
def plugins(plugin: flags.Plugin = None, json: flags.Json = False) -> None:
    """List plugins: offers, broken ones, duplicates."""
    from xharness.cli.offers import show

    show(tuple(plugin or ()), as_json=json)


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="A folder of a run, or the start of a stage's key.")],
    store: flags.Store = None,
    json: flags.Json = False,
) -> None:
    """Show a run or a stage: facts and files.

    \b
    xharness show runs/demo
    xharness show 3f9a21
    """
    from xharness.cli.showing import show

    show(what, store, as_json=json)


@app.command()
def doctor(
    data_root: flags.DataRoot = None,
    store: flags.Store = None,
    offline: flags.Offline = False,
    json: flags.Json = False,
) -> None:
    """Look at this machine as xharness sees it."""
    from xharness.cli.doctor import show

    show(data_root, store, offline=offline, as_json=json)


@_cards.command("list")
def cards_list(
    group: Annotated[str | None, typer.Option("--group", help="Only this group's.")] = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """List the cards that studies can name."""
    from xharness.cli.cards import show_all

    show_all(group, tuple(plugin or ()), tuple(cards or ()), as_json=json)


@_cards.command("show")
def cards_show(
    name: Annotated[str, typer.Argument(help="The card's name.")],
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """Show one card, and who offers it."""
    from xharness.cli.cards import show_one

    show_one(name, tuple(plugin or ()), tuple(cards or ()), as_json=json)


@_cards.command("validate")
def cards_validate(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Card files or folders; default: all known cards.")
    ] = None,
    plugin: flags.Plugin = None,
    json: flags.Json = False,
) -> None:
    """Check cards; exit code 2 where one is wrong."""
    from xharness.cli.cards import validate

    raise typer.Exit(validate(tuple(paths or ()), tuple(plugin or ()), as_json=json))


@_cards.command("schema")
def cards_schema(plugin: flags.Plugin = None) -> None:
    """Print the JSON Schema of cards, for editors."""
    from xharness.cli.schema import show

    show(tuple(plugin or ()))


@_models.command("list")
def models_list(
    study: flags.StudyFile,
    data_root: flags.DataRoot = None,
    store: flags.Store = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    offline: flags.Offline = False,
    json: flags.Json = False,
) -> None:
    """List a study's models; sizes as the stored stages of this study tell them."""
    from xharness.cli.models import show

    wishes = Wishes(
        study, data_root, store, None, tuple(plugin or ()), tuple(cards or ()), offline=offline
    )
    show(wishes, as_json=json)


_Folders = Annotated[list[Path], typer.Argument(help="Folders with study.yaml and scores.jsonl.")]


@_boards.command("build")
def leaderboard_build(folders: _Folders, plugin: flags.Plugin = None) -> None:
    """Render boards from their scores."""
    from xharness.cli.boards import build

    build(folders, tuple(plugin or ()))


@_boards.command("check")
def leaderboard_check(folders: _Folders, plugin: flags.Plugin = None) -> None:
    """Exit code 1 where a board is not what its scores give."""
    from xharness.cli.boards import check

    raise typer.Exit(check(folders, tuple(plugin or ())))


def _codes(given: list[str] | None) -> tuple[str, ...]:
    words = (word.strip() for text in given or () for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _seeds(given: str | None) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(word) for word in given.split(","))) if given else ()
    except ValueError:
        raise typer.BadParameter(f"'{given}' is not a list of whole numbers") from None
