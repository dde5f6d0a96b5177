"""The files a run leaves: question, scores, evidence, the board, and a card beside each model."""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from xharness import leaderboard
from xharness.digests import digest
from xharness.errors import ConfigurationError, reason_of
from xharness.executor import RunContext, RunReport, collect, collect_items
from xharness.files import make_folder, write_text, writing
from xharness.gaps import evidence, scores
from xharness.gaps.scores import MissingRow, Row, ScoreRow, StatedAverage, record
from xharness.leaderboard import Board
from xharness.leaderboard.board import EVIDENCE, SCORES, STUDY
from xharness.leaderboard.exports.model_card import hub_id, model_card
from xharness.planning.plan import Arm
from xharness.session.opened_study import OpenedStudy
from xharness.spec import documents
from xharness.stages import SelectModel, Train
from xharness.store import MODEL

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
        make_folder(folder)
    return folder


def write(
    opened: OpenedStudy, context: RunContext, report: RunReport, folder: Path
) -> tuple[Board, tuple[Path, ...]]:
    """Write everything into `folder`, each file whole, the board last; the board, and all files.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    folder, run_rows = _write_rows(opened, context, report, folder)
    write_model_cards(opened, run_rows)
    board = leaderboard.read(folder, *leaderboard.definitions_of(opened.catalogue))
    return board, (folder / SCORES, folder / EVIDENCE, *leaderboard.save(board, folder))


def _write_rows(
    opened: OpenedStudy, context: RunContext, report: RunReport, folder: Path
) -> tuple[Path, list[Row]]:
    """Write what the board is made of; where, and the rows that the run gave."""
    with writing(folder):
        # All is collected before anything is written: a damaged receipt must not leave half of it.
        run_rows = collect(opened.plan, context, report)
        items = [*evidence.with_shared_ids(collect_items(opened.plan, context, report))]
        folder_rows = _rows_in(folder)
        # Scores cost hours; a run without data or device must not replace them with gaps.
        if lost_count := _lost_scores(folder_rows, run_rows):
            folder = _incomplete_folder(folder, lost_count)
        if not _same_file(folder / STUDY, opened.options.study):
            write_text(folder / STUDY, _origin(opened, folder) + _question(opened))
        scores.write(folder / SCORES, [*run_rows, *_published(folder_rows)])
        evidence.write(folder / EVIDENCE, items)
    return folder, [*run_rows]


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
        if isinstance(row, StatedAverage)
        or (isinstance(row, ScoreRow) and row.provenance == "published")
    ]


def _lost_scores(folder_rows: Sequence[Row], run_rows: Sequence[Row]) -> int:
    """How many measured scores in the folder would give way to missing ones."""
    missing = {
        (row.model, row.strategy, row.seed, row.task, row.language)
        for row in run_rows
        if isinstance(row, MissingRow)
    }
    return sum(
        not missing.isdisjoint(
            (row.model, row.strategy, row.seed, row.task, language)
            for language in (row.language, None)  # a task that is missing as a whole names none
        )
        for row in folder_rows
        if isinstance(row, ScoreRow) and row.provenance == "measured" and row.main
    )


def _incomplete_folder(folder: Path, lost_count: int) -> Path:
    """A run that failed, or found less data than the last, must not cost what was measured."""
    incomplete_folder = folder / INCOMPLETE
    make_folder(incomplete_folder)
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
    # Comments and order are the user's, and YAML made from values would lose them.
    if not opened.options.changes_question:
        return opened.document.text
    values = opened.study.model_dump(mode="json", exclude_unset=True, exclude={"runtime"})
    return documents.dump(values)


def _same_file(path: Path, study: Path | None) -> bool:
    return study is not None and path.exists() and path.samefile(study)


MODEL_CARD = "README.md"
"""Its scores came after the stage was committed, so no receipt lists it."""


def write_model_cards(opened: OpenedStudy, rows: Iterable[Row]) -> None:
    """Write each trained model's scores beside its weights; warn where the store is read-only."""
    scores_of_stage: dict[str, list[ScoreRow]] = defaultdict(list)
    for row in rows:
        if isinstance(row, ScoreRow) and row.stage is not None:
            scores_of_stage[row.stage].append(row)
    arms_of_training: dict[str, list[Arm]] = defaultdict(list)
    for arm in opened.plan.arms:
        if arm.score.key in scores_of_stage:
            for key in _training_keys(arm, opened):
                arms_of_training[key].append(arm)
    try:
        for key, arms in arms_of_training.items():
            _write_model_card(
                opened, key, arms, [row for arm in arms for row in scores_of_stage[arm.score.key]]
            )
    # Stores are often shared and read-only; a run that has its results must not fail for a card.
    except OSError as error:
        print(f"warning: no model cards: {reason_of(error)}", file=sys.stderr)


def _training_keys(arm: Arm, opened: OpenedStudy) -> Iterable[str]:
    """The key of the training that left the arm's model, if one did."""
    model = arm.score.predictions.model
    if isinstance(model, SelectModel) and opened.store.has(model.key):
        yield str(opened.store.receipt(model.key).facts["chosen"])
    if isinstance(model, Train):
        yield model.key


def _write_model_card(opened: OpenedStudy, key: str, arms: list[Arm], rows: list[ScoreRow]) -> None:
    folder = opened.store.folder(key) / MODEL
    if not folder.is_dir():
        return
    path, arm = folder / MODEL_CARD, arms[0]
    spec = opened.study.model(arm.model)
    # Arms that share a score stage repeat its rows.
    model_rows = [*{(row.task, row.language, row.metric, row.split): row for row in rows}.values()]
    name = f"{arm.model}-{arm.strategy}-seed{arm.seed}"
    base = hub_id(spec.backend_options, spec.name)
    old_text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    mark = _mark(name, base, model_rows)
    # A card may carry the user's own text: it is touched only where scores have changed.
    if not old_text.endswith(mark):
        write_text(path, model_card(name, model_rows, opened.catalogue.card, base, old_text) + mark)


def _mark(name: str, base: str | None, rows: Iterable[ScoreRow]) -> str:
    """The last line of a card made from `rows`: a card that ends with it is up to date."""
    return f"\n<!-- {digest([name, base, [record(row) for row in rows]])} -->\n"
