"""`xharness export`: a run's stored predictions as a submission."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xharness.cli import flags
from xharness.errors import ConfigurationError
from xharness.session.options import RunOptions

if TYPE_CHECKING:
    from xharness.gaps.suites import Benchmark
    from xharness.submission import ExportedFiles, ExportSource


@flags.options_from("data_root", "store", "plugins", "cards", "offline")
def export(
    options: RunOptions,
    run: Annotated[Path, typer.Argument(help="A run's folder, with its scores.")],
    suite: flags.Suite,
    target: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="A new folder for the predictions.")
    ],
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="DIR", help="A new folder for the right answers, too."),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", metavar="NAME")] = None,
    strategy: Annotated[str | None, typer.Option("--strategy", metavar="NAME")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N")] = None,
) -> None:
    """Write a run's predictions as a submission.

    \b
    xharness export runs/mine --suite xtreme-r --to submission --labels gold
    """
    from xharness import submission
    from xharness.console import show_table
    from xharness.leaderboard.board import SCORES

    if not run.is_dir():
        raise ConfigurationError("there is no folder of a run", where=str(run))
    # Before the predictions are read and scored again, which takes a while.
    submission.check_free(target, labels)
    arm = submission.ArmChoice(model, strategy, seed)
    benchmark, files = submission.export(run / SCORES, suite, arm, _source(run, options))
    submission.save(files, target, labels)
    show_table(_rows(benchmark, files), title=str(target), right=("items",))
    _show_notes(files)


def _source(run: Path, options: RunOptions) -> ExportSource:
    from xharness.data.reader import DataReader
    from xharness.leaderboard.board import STUDY
    from xharness.session.catalogue import open_catalogue, warn_of_broken
    from xharness.session.environment import open_store, run_environment
    from xharness.spec import study
    from xharness.submission import ExportSource

    catalogue = open_catalogue(options.plugins, options.cards)
    warn_of_broken(catalogue.plugins)
    question = study.load(run / STUDY)[0] if (run / STUDY).is_file() else None
    environment = run_environment(options.data_root, run, offline=options.offline)
    store = open_store(options.store, question, run)
    return ExportSource(catalogue, DataReader(catalogue, environment), store)


def _rows(benchmark: Benchmark, files: Sequence[ExportedFiles]) -> list[dict[str, Any]]:
    """A row for each task of the suite, those that are missing too."""
    return [_row(task, codes, files) for task, codes in benchmark.tasks.items()]


def _row(task: str, codes: Sequence[str], files: Sequence[ExportedFiles]) -> dict[str, Any]:
    task_files = [file for file in files if file.row.task == task]
    return {
        "task": task,
        "folder": task_files[0].task.folder if task_files else None,
        "languages": f"{len(task_files)} of {len(codes)}",
        "items": sum(file.row.n or 0 for file in task_files),
    }


def _show_notes(files: Sequence[ExportedFiles]) -> None:
    """What a reader of the files cannot see: that data is partial, or of another split."""
    from xharness.console import show_table

    notes = dict.fromkeys((file.row.task, note) for file in files for note in file.row.notes)
    show_table([{"task": task, "note": note} for task, note in notes], title="notes", err=True)
    if notes:
        print("such predictions are no official submission", file=sys.stderr)
