"""Published results into a board's folder: all that is new, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xharness import importers
from xharness.errors import ConfigurationError
from xharness.files import make_folder, write_text, writing
from xharness.gaps import scores
from xharness.gaps.scores import Row, ScoreRow, StatedAverage
from xharness.importers import ImportOptions
from xharness.importers.names import arm_label
from xharness.leaderboard.board import SCORES, STUDY
from xharness.leaderboard.published_averages import check_averages
from xharness.plugin.catalogue import Catalogue
from xharness.spec import documents


@dataclass(frozen=True)
class ImportReport:
    """What came into a folder, and what did not."""

    folder: Path
    rows: tuple[ScoreRow | StatedAverage, ...]
    new_count: int
    names_without_card: tuple[str, ...]

    @property
    def contradictions(self) -> list[str]:
        """Stated averages that the same source's cells contradict by more than rounding."""
        means = [row for row in self.rows if isinstance(row, StatedAverage)]
        cells = [row for row in self.rows if isinstance(row, ScoreRow)]
        return [
            f"{average.stated.model}, {average.stated.task or average.stated.suite}, "
            f"{average.stated.metric}: "
            f"the stated average {round(average.stated.mean, 2)} is contradicted by its own cells: "
            f"{average.reading} gives {average.derived:.2f}"
            for average in check_averages(means, cells)
            if average.contradicted
        ]


def import_results(
    files: Sequence[Path], folder: Path, options: ImportOptions, catalogue: Catalogue
) -> ImportReport:
    """Read and check `files`, and add their rows to the scores in `folder`.

    Raises:
        ConfigurationError: whatever is wrong with the files, with their lines; nothing was written.
    """
    imported = importers.read(files, options, catalogue)
    rows = importers.rows(imported.reported_scores, catalogue)
    if not rows:
        names = ", ".join(imported.names_without_card)
        raise ConfigurationError(
            "no row could be made", where=", ".join(map(str, files)),
            hint=f"no card stands for: {names}" if names else None,
        )  # fmt: skip
    new_count = _write(folder, rows)
    return ImportReport(folder, tuple(rows), new_count, tuple(imported.names_without_card))


def named_subject(row: ScoreRow | StatedAverage) -> str:
    """The task, or the suite, that a row speaks of."""
    return row.task if isinstance(row, ScoreRow) else str(row.task or row.suite)


def _write(folder: Path, rows: Sequence[Row]) -> int:
    """Add what is new to the folder's scores; how many rows that are."""
    path = folder / SCORES
    folder_rows = list(scores.read(path)) if path.is_file() else []
    clashes = importers.clashes(folder_rows, rows)
    if clashes:
        message = "\n".join(f"{path}: {clash}" for clash in clashes)
        raise ConfigurationError(message, hint="name another folder with --to")
    # As a set: a board may have a hundred thousand rows.
    stored_rows = {*folder_rows}
    new_rows = [row for row in rows if row not in stored_rows]
    with writing(folder):
        make_folder(folder)
        scores.write(path, [*folder_rows, *new_rows])
        if not (folder / STUDY).exists():
            write_text(folder / STUDY, _study(folder, [*folder_rows, *new_rows]))
    return len(new_rows)


def _study(folder: Path, rows: Sequence[Row]) -> str:
    """The question that a board of these rows answers."""
    published = [row for row in rows if isinstance(row, ScoreRow | StatedAverage)]
    cells = [row for row in published if isinstance(row, ScoreRow)] or published
    return documents.dump(
        {
            "name": arm_label(folder.resolve().name) or "imported",
            "title": "Published results",
            "models": [
                {"name": name, "backend": "published"}
                for name in dict.fromkeys(row.model for row in cells)
            ],
            "strategies": list(dict.fromkeys(row.strategy for row in cells)),
            "targets": list(dict.fromkeys(named_subject(row) for row in cells)),
        }
    )
