"""The files a run leaves: the question, the scores, the evidence, and the board made of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from xharness import leaderboard
from xharness.errors import ConfigurationError
from xharness.executor import RunContext, RunReport, collect, collect_items
from xharness.files import write_text, writing
from xharness.gaps import evidence, scores
from xharness.gaps.scores import Mean, Missing, Row, Score
from xharness.leaderboard import Board
from xharness.leaderboard.board import EVIDENCE, SCORES, STUDY
from xharness.session import model_cards
from xharness.session.opened_study import DEMO, OpenedStudy
from xharness.spec import documents

INCOMPLETE = "incomplete"
"""The folder, in that of the results, of a run that has fewer of them than the one before."""


def output_folder(opened: OpenedStudy) -> Path:
    """The folder of results, made where it is not there yet.

    Raises:
        ConfigurationError: the folder holds another study, or cannot be written.
    """
    folder = opened.folder
    folder_study = folder / STUDY
    if folder_study.is_file() and not _same_file(folder_study, opened.options.study):
        name = None
        with contextlib.suppress(ConfigurationError):
            name = documents.load(folder_study).data.get("name")
        if name != opened.study.name:
            raise ConfigurationError(
                f"this folder holds the results of another study, '{name}'",
                where=str(folder),
                hint="name another folder with --output",
            )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(
    opened: OpenedStudy, context: RunContext, report: RunReport, folder: Path
) -> tuple[Board, tuple[Path, ...]]:
    """Write everything into `folder`, each file whole, the board last; the board, and all files.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    with writing(folder):
        # All is collected before anything is written: a damaged receipt must not leave half of it.
        run_rows = collect(opened.plan, context, report)
        items = [*collect_items(opened.plan, context, report)]
        folder_rows = _rows_in(folder)
        if lost_count := _lost_scores(folder_rows, run_rows):
            folder = _incomplete_folder(folder, lost_count)
        if not _same_file(folder / STUDY, opened.options.study):
            write_text(folder / STUDY, _origin(opened, folder) + _question(opened))
        scores.write(folder / SCORES, [*run_rows, *_published(folder_rows)])
        evidence.write(folder / EVIDENCE, items)
    model_cards.write(opened, run_rows)
    metrics = leaderboard.metrics_of(opened.catalogue)
    board = leaderboard.read(folder, metrics, leaderboard.benchmarks_of(opened.catalogue))
    return board, (folder / SCORES, folder / EVIDENCE, *leaderboard.save(board, folder))


def _rows_in(folder: Path) -> list[Row]:
    """The rows that the folder holds before this run; none where they are broken."""
    rows: list[Row] = []
    if (folder / SCORES).is_file():
        with contextlib.suppress(ConfigurationError):
            rows += scores.read(folder / SCORES)
    return rows


def _published(rows: Sequence[Row]) -> list[Row]:
    """Rows that were imported: no run of this study makes them again."""
    return [
        row
        for row in rows
        if isinstance(row, Mean) or (isinstance(row, Score) and row.provenance == "published")
    ]


def _lost_scores(folder_rows: Sequence[Row], run_rows: Sequence[Row]) -> int:
    """How many measured scores in the folder would give way to missing ones."""
    missing = {
        (row.model, row.strategy, row.seed, row.task, row.language)
        for row in run_rows
        if isinstance(row, Missing)
    }
    return sum(
        not missing.isdisjoint(
            (row.model, row.strategy, row.seed, row.task, language)
            for language in (row.language, None)  # a task that is missing as a whole names none
        )
        for row in folder_rows
        if isinstance(row, Score) and row.provenance == "measured" and row.main
    )


def _incomplete_folder(folder: Path, lost_count: int) -> Path:
    """A run that failed, or found less data than the last, must not cost what was measured."""
    incomplete_folder = folder / INCOMPLETE
    incomplete_folder.mkdir(exist_ok=True)
    print(
        f"{folder / SCORES} stays as it is: this run lacks {lost_count} scores that stand there; "
        f"what it has is in {incomplete_folder}",
        file=sys.stderr,
    )
    return incomplete_folder


def _origin(opened: OpenedStudy, folder: Path) -> str:
    """Where the relative paths in a copied study count from."""
    file = opened.options.study
    if file is None or file.parent.resolve() == folder.resolve():
        return ""
    name = " ".join(file.name.split())
    return f"# asked from {name}; relative paths count from that file's folder\n"


def _question(opened: OpenedStudy) -> str:
    """The study as it was asked: the user's own text, unless flags changed it."""
    if not opened.options.changes_question:
        return (opened.options.study or DEMO).read_text(encoding="utf-8")
    values = opened.study.model_dump(mode="json", exclude_unset=True, exclude={"runtime"})
    return documents.dump(values)


def _same_file(path: Path, study: Path | None) -> bool:
    return study is not None and path.exists() and path.samefile(study)
