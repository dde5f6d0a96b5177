"""The files a run leaves: the question, the scores, the evidence, and the board made of them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from xharness import leaderboard
from xharness.errors import ConfigurationError
from xharness.executor import RunContext, RunReport, collect, collect_items
from xharness.files import write_text
from xharness.gaps import evidence, scores
from xharness.gaps.scores import Mean, Missing, Row, Score
from xharness.leaderboard import Board
from xharness.leaderboard.board import EVIDENCE, SCORES, STUDY
from xharness.session import model_cards
from xharness.session.session import DEMO, Session
from xharness.spec import documents

INCOMPLETE = "incomplete"
"""The folder, in that of the results, of a run that has fewer of them than the one before."""


def output_folder(job: Session) -> Path:
    """Where results go: as wished; else beside the study, if it is the study's own question.

    Raises:
        ConfigurationError: the folder holds another study, or cannot be written.
    """
    folder = _wanted(job)
    other = folder / STUDY
    if other.is_file() and not _same_file(other, job.options.study):
        name = None
        with contextlib.suppress(ConfigurationError):
            name = documents.load(other).data.get("name")
        if name != job.study.name:
            raise ConfigurationError(
                f"this folder holds the results of another study, '{name}'",
                where=str(folder),
                hint="name another folder with --output",
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=str(folder)) from None
    return folder


def write(
    job: Session, work: RunContext, report: RunReport, folder: Path
) -> tuple[Board, list[Path]]:
    """Write everything into `folder`, each file whole, the board last; the board, and all files.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    try:
        collected = collect(job.plan, work, report)
        items = [*collect_items(job.plan, work, report)]
        earlier = _earlier_rows(folder)
        rows = [*collected, *_published(earlier)]
        if lost := _lost(earlier, collected):
            folder = _beside_the_good_rows(folder, lost)
        if not _same_file(folder / STUDY, job.options.study):
            write_text(folder / STUDY, _origin(job, folder) + _question(job))
        scores.write(folder / SCORES, rows)
        evidence.write(folder / EVIDENCE, items)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot be written: {reason}", where=str(folder)) from None
    model_cards.write(job, collected)
    metrics = leaderboard.metrics_of(job.catalogue)
    board = leaderboard.read(folder, metrics, leaderboard.benchmarks_of(job.catalogue))
    return board, [folder / SCORES, folder / EVIDENCE, *leaderboard.save(board, folder)]


def _earlier_rows(folder: Path) -> list[Row]:
    """What the folder's scores say before this run; nothing where they are broken."""
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


def _lost(earlier: Sequence[Row], collected: Sequence[Row]) -> int:
    """How many measured scores of before would give way to missing ones."""
    missing = {
        (row.model, row.strategy, row.seed, row.task, row.language)
        for row in collected
        if isinstance(row, Missing)
    }
    return sum(
        not missing.isdisjoint(
            (row.model, row.strategy, row.seed, row.task, language)
            for language in (row.language, None)  # a task that is missing as a whole names none
        )
        for row in earlier
        if isinstance(row, Score) and row.provenance == "measured" and row.main
    )


def _beside_the_good_rows(folder: Path, lost: int) -> Path:
    """A run that failed, or found less data than the last, must not cost what was measured."""
    within = folder / INCOMPLETE
    within.mkdir(exist_ok=True)
    print(
        f"{folder / SCORES} stays as it is: this run lacks {lost} scores that stand there; "
        f"what it has is in {within}",
        file=sys.stderr,
    )
    return within


def _wanted(job: Session) -> Path:
    """A changed question, and the demo's, must not overwrite a board that somebody committed."""
    if job.options.output is not None:
        return job.options.output
    file = job.options.study
    if file is None or job.options.changes_question:
        return Path("runs", job.study.name)
    return file.parent if file.name == STUDY else file.with_suffix("")


def _origin(job: Session, folder: Path) -> str:
    """Where the relative paths in a copied study count from."""
    file = job.options.study
    if file is None or file.parent.resolve() == folder.resolve():
        return ""
    name = " ".join(file.name.split())
    return f"# asked from {name}; relative paths count from that file's folder\n"


def _question(job: Session) -> str:
    """The study as it was asked: the user's own text, unless flags changed it."""
    if not job.options.changes_question:
        return (job.options.study or DEMO).read_text(encoding="utf-8")
    values = job.study.model_dump(mode="json", exclude_unset=True, exclude={"runtime"})
    return documents.dump(values)


def _same_file(path: Path, study: Path | None) -> bool:
    return study is not None and path.exists() and path.samefile(study)
