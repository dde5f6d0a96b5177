"""`xharness export`: a run's stored predictions as a submission."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness import submission
from xharness.console import show_table
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.gaps.suites import Benchmark
from xharness.leaderboard.board import SCORES, STUDY
from xharness.session.options import Options
from xharness.session.session import open_catalogue, open_store, run_environment, warn_of_broken
from xharness.spec import study
from xharness.submission import ArmChoice, ExportedFiles, ExportSource


@dataclass(frozen=True)
class Target:
    """What is wanted of the run, and where it goes."""

    suite: str
    arm_choice: ArmChoice
    predictions: Path
    labels: Path | None


def export(run: Path, target: Target, wishes: Options) -> None:
    """Write the folders, and print what they hold.

    Raises:
        XharnessError: nothing was written.
    """
    if not run.is_dir():
        raise ConfigurationError("there is no folder of a run", where=str(run))
    submission.check_free(target.predictions, target.labels)
    benchmark, found = submission.export(
        run / SCORES, target.suite, target.arm_choice, _source(run, wishes)
    )
    submission.save(found, target.predictions, target.labels)
    show_table(_rows(benchmark, found), title=str(target.predictions), right=("items",))
    _tell_notes(found)


def _source(run: Path, wishes: Options) -> ExportSource:
    catalogue = open_catalogue(wishes.plugins, wishes.cards)
    warn_of_broken(catalogue.plugins)
    question = study.load(run / STUDY)[0] if (run / STUDY).is_file() else None
    environment = run_environment(wishes.data_root, run, offline=wishes.offline)
    return ExportSource(
        catalogue, DataReader(catalogue, environment), open_store(wishes.store, question, run)
    )


def _rows(benchmark: Benchmark, found: Sequence[ExportedFiles]) -> list[dict[str, Any]]:
    """A row for each task of the suite, those that are missing too."""
    return [_row(task, codes, found) for task, codes in benchmark.tasks.items()]


def _row(task: str, codes: Sequence[str], found: Sequence[ExportedFiles]) -> dict[str, Any]:
    own = [one for one in found if one.row.task == task]
    return {
        "task": task,
        "folder": own[0].task.folder if own else None,
        "languages": f"{len(own)} of {len(codes)}",
        "items": sum(one.row.n or 0 for one in own),
    }


def _tell_notes(found: Sequence[ExportedFiles]) -> None:
    """What a reader of the files cannot see: that data is partial, or of another split."""
    told = dict.fromkeys((one.row.task, note) for one in found for note in one.row.notes)
    show_table([{"task": task, "note": note} for task, note in told], title="notes", err=True)
    if told:
        print("such predictions are no official submission", file=sys.stderr)
