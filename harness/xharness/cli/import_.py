"""`xharness import`: results from elsewhere become published rows of a board's folder."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError
from xharness.phrases import listed

if TYPE_CHECKING:
    from xharness.gaps.scores import ScoreRow, StatedAverage
    from xharness.session.importing import ImportReport

_NAMED = 8
"""How many names without a card are listed; more are counted."""

_Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OURS=THEIRS", help="A column's name in the file: score=f1."),
]
_Constants = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="COLUMN=VALUE", help="The same for all rows: metric=f1."),
]
_ScoreUnit = Annotated[
    Literal["points", "fraction"] | None,
    typer.Option("--unit", help="Of a table's scores: 0 to 100, or 0 to 1."),
]
_Format = Annotated[
    Literal["csv", "lm-eval", "euroeval", "mteb"] | None,
    typer.Option("--format", help="Where the file's ending does not say it."),
]


# Its own name is a word of Python's; `app` calls the command `import`.
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="Tables, or results of lm-evaluation-harness, EuroEval, MTEB."),
    ],
    folder: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="A board's folder to add them to.")
    ] = None,
    columns: _Columns = None,
    constants: _Constants = None,
    unit: _ScoreUnit = None,
    format: _Format = None,
    plugin: flags.Plugins = None,
    cards: flags.Cards = None,
    json: flags.Json = False,
) -> None:
    """Bring in published scores, as rows marked published.

    A table has the columns task, metric, model, score and language (empty: an average); if it
    likes, seed, split, strategy, source, n, protocol, suite, averaged_over, note.

    \b
    xharness import table.csv --to boards/published
    xharness import ner.csv --map score=f1 --set task=wikiann --set metric=f1
    xharness import results_2026-01-01.json
    """
    from xharness.console import show_json
    from xharness.importers import ImportOptions
    from xharness.session.catalogue import open_catalogue
    from xharness.session.importing import import_results

    options = ImportOptions(
        _pairs(columns or (), "--map"), _pairs(constants or (), "--set"), unit, format
    )
    catalogue = open_catalogue(plugin or (), cards or ())
    report = import_results(files, folder or Path("runs", files[0].stem), options, catalogue)
    if json:
        show_json(_as_json(report))
    else:
        _show(report)


def _pairs(texts: Iterable[str], flag: str) -> dict[str, str]:
    """`score=f1` as `{score: f1}`."""
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise ConfigurationError(f"{flag} {text}", expected="NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs


def _show(report: ImportReport) -> None:
    from xharness.console import show_table
    from xharness.leaderboard.board import SCORES

    title = f"published rows, {report.new_count} of them new"
    show_table(_table(report.rows), title=title, right=("rows",))
    for contradiction in report.contradictions:
        print(f"warning: {contradiction}", file=sys.stderr)
    if names := report.names_without_card:
        listing = listed(names, limit=_NAMED)
        print(f"left out, no card stands for them: {listing}", file=sys.stderr)
    print(report.folder / SCORES)
    # A hint for whoever reads; standard output has the file alone, for scripts.
    command = f"xharness leaderboard build {shlex.quote(str(report.folder))}"
    print(f"to see them: {command}", file=sys.stderr)


def _table(rows: Sequence[ScoreRow | StatedAverage]) -> list[dict[str, Any]]:
    from xharness.gaps.scores import ScoreRow
    from xharness.session.importing import named_subject

    counts = Counter(
        (row.model, row.strategy, named_subject(row), row.metric, row.source,
         "language" if isinstance(row, ScoreRow) else "average")
        for row in rows
    )  # fmt: skip
    names = ("model", "strategy", "task", "metric", "source", "one row a")
    return [dict(zip(names, key, strict=True)) | {"rows": n} for key, n in counts.items()]


def _as_json(report: ImportReport) -> dict[str, Any]:
    return {
        "folder": str(report.folder),
        "rows": len(report.rows),
        "added": report.new_count,
        "left_out": list(report.names_without_card),
        "contradicted": report.contradictions,
    }
