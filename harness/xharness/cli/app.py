"""Every command with its flags; what a command does is in the module its body imports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from xharness.cli import flags, guard
from xharness.session.options import Options

_EXAMPLES = """\b
Examples:
  xharness run                              the built-in demo, offline, a few minutes
  xharness run study.yaml --data-root data  run a study; again: goes on where it stopped
  xharness plan study.yaml                  what would run, what is stored, what it costs
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
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        **settings,  # type: ignore[arg-type]
    )


app = _group(epilog=_EXAMPLES)
_cards = _group(help="Look at task cards, and check them.")
_models = _group(help="Look at models.")
_boards = _group(help="Render boards; check, serve or export them.")
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
    executor: flags.Executor = None,
    address: flags.Address = None,
    offline: flags.Offline = False,
    strict_data: flags.StrictData = False,
    debug: flags.Debug = False,
    deterministic: flags.Deterministic = False,
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

    wishes = Options(
        study, data_root, store, output, tuple(plugin or ()), tuple(cards or ()), split, limit,
        _codes(languages), _seeds(seed), device, executor, address, offline, strict_data, debug,
        deterministic,
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

    wishes = Options(
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
def score(
    suite: flags.Suite,
    predictions: Annotated[
        Path, typer.Option("--predictions", metavar="DIR", help="TASK/test-LANGUAGE.* to score.")
    ],
    labels: Annotated[
        Path, typer.Option("--labels", metavar="DIR", help="The right answers, in the same layout.")
    ],
    tasks: Annotated[
        list[str] | None,
        typer.Option("--tasks", metavar="NAMES", help="Only these; default: all that are there."),
    ] = None,
    languages: flags.Languages = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the scores there, too.")
    ] = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
) -> None:
    """Score a submission as the official evaluator does.

    \b
    xharness score --suite xtreme-r --predictions mine --labels gold
    """
    from xharness.cli.scoring import score as carry_out
    from xharness.submission import ScoringRequest

    wanted = ScoringRequest(predictions, labels, _codes(tasks), _codes(languages))
    carry_out(wanted, suite, tuple(plugin or ()), tuple(cards or ()), json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run's folder, with its scores.")],
    suite: flags.Suite,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="A new folder for the predictions.")
    ],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="DIR", help="A new folder for the right answers, too."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", metavar="NAME")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N")] = None,
    data_root: flags.DataRoot = None,
    store: flags.Store = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    offline: flags.Offline = False,
) -> None:
    """Write a run's predictions as a submission.

    \b
    xharness export runs/mine --suite xtreme-r --to submission --labels gold
    """
    from xharness.cli.exporting import Target
    from xharness.cli.exporting import export as carry_out
    from xharness.submission import ArmChoice

    target = Target(suite, ArmChoice(model, strategy, seed), to, labels)
    wishes = Options(
        None, data_root, store, None, tuple(plugin or ()), tuple(cards or ()), offline=offline
    )
    carry_out(run, target, wishes)


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="Tables, or results of lm-evaluation-harness, EuroEval, MTEB."),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="A board's folder to add them to.")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OURS=THEIRS", help="A column's name in the file: score=f1."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=VALUE", help="The same for all rows: metric=f1."),
    ] = None,
    unit: Annotated[
        Literal["points", "fraction"] | None,
        typer.Option("--unit", help="Of a table's scores: 0 to 100, or 0 to 1."),
    ] = None,
    format: Annotated[
        Literal["csv", "lm-eval", "euroeval"] | None,
        typer.Option("--format", help="Where the file's ending does not say it."),
    ] = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """Bring in published scores, as rows marked published.

    A table has the columns task, metric, model, score, and for each language lang; if it likes,
    seed, split, strategy, source, n, protocol, suite, over, note.

    \b
    xharness import table.csv --to boards/published
    xharness import ner.csv --map score=f1 --set task=wikiann --set metric=f1
    xharness import results_2026-01-01.json
    """
    from xharness.cli.importing import ImportOptions, bring

    wanted = ImportOptions(
        tuple(files), to, tuple(map_ or ()), tuple(set_ or ()), unit, format,
        tuple(plugin or ()), tuple(cards or ()),
    )  # fmt: skip
    bring(wanted, as_json=json)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="A run's folder; with --run, an arm.")],
    b: Annotated[str, typer.Argument(help="What is compared with it.")],
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="DIR", help="Whose arms: MODEL:STRATEGY, or one of both."),
    ] = None,
    plugin: flags.Plugin = None,
    json: flags.Json = False,
) -> None:
    """Compare two runs, or two arms: paired differences with tests.

    \b
    xharness compare runs/before runs/after
    xharness compare single multitask --run runs/demo
    """
    from xharness.cli.comparing import compare

    compare(a, b, run, tuple(plugin or ()), as_json=json)


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
    group: Annotated[
        str | None, typer.Option("--group", metavar="NAME", help="Only this group's.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="NAME", help="Only these: target, intermediate, corpus."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="NAME", help="Only this kind of task.")
    ] = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """List the cards that studies can name.

    \b
    xharness cards list --group xtreme-r
    xharness cards list --role intermediate --kind choice
    """
    from xharness.cli.cards import CardFilter, show_all

    wanted = CardFilter(group, role, kind)
    show_all(wanted, tuple(plugin or ()), tuple(cards or ()), as_json=json)


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


@_cards.command("docs")
def cards_docs(
    folder: Annotated[Path, typer.Argument(help="Where the pages go, such as docs/tasks.")],
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """Write a page of Markdown for each card, and an index.

    \b
    xharness cards docs docs/tasks
    """
    from xharness.cli.cards import write_pages

    write_pages(folder, tuple(plugin or ()), tuple(cards or ()), as_json=json)


@_cards.command("schema")
def cards_schema(plugin: flags.Plugin = None) -> None:
    """Print the JSON Schema of cards, for editors."""
    from xharness.cli.schema import show

    show(tuple(plugin or ()))


@_models.command("list")
def models_list(
    study: flags.OptionalStudy = None,
    data_root: flags.DataRoot = None,
    store: flags.Store = None,
    plugin: flags.Plugin = None,
    cards: flags.Cards = None,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Without a study: fetch the configurations, for exact sizes."),
    ] = False,
    offline: flags.Offline = False,
    json: flags.Json = False,
) -> None:
    """List a study's models, or, without one, those that publications speak of.

    Sizes of a study's models are as its stored stages tell them, else as their configurations do.
    """
    from xharness.cli.known_models import show_known
    from xharness.cli.models import show

    wishes = Options(
        study, data_root, store, None, tuple(plugin or ()), tuple(cards or ()), offline=offline
    )
    if study is None:
        show_known(wishes, fetch=fetch, as_json=json)
    elif fetch:
        raise typer.BadParameter("a study's are fetched anyway", param_hint="--fetch")
    else:
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


@_boards.command("serve")
def leaderboard_serve(
    folder: Annotated[Path, typer.Argument(help="A folder with leaderboard.html.")],
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")
    ] = 8100,
) -> None:
    """Show a board in a browser: its files alone, on this machine alone."""
    from xharness.cli.serving import serve

    serve(folder, port)


@_boards.command("export")
def leaderboard_export(
    folder: Annotated[Path, typer.Argument(help="A folder with study.yaml and scores.jsonl.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Its ending says the format.")],
    format: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="NAME", help="csv, json, parquet; every-eval-ever, into a folder."
        ),
    ] = None,
    organization: Annotated[
        str, typer.Option("--organization", metavar="NAME", help="Who made it; every-eval-ever.")
    ] = "unknown",
    plugin: flags.Plugin = None,
) -> None:
    """Write a board's rows for other programs.

    \b
    xharness leaderboard export runs/demo --to scores.parquet
    xharness leaderboard export runs/demo --to records --format every-eval-ever
    """
    from xharness.cli.board_exports import export

    export(folder, to, format, organization, tuple(plugin or ()))


def _codes(given: list[str] | None) -> tuple[str, ...]:
    words = (word.strip() for text in given or () for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def _seeds(given: str | None) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(word) for word in given.split(","))) if given else ()
    except ValueError:
        raise typer.BadParameter(f"'{given}' is not a list of whole numbers") from None
