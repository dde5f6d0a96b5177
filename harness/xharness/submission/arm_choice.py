"""Which of a run's scores are exported: those of one arm, for what the suite asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xharness.errors import ConfigurationError, suggestion
from xharness.gaps import scores
from xharness.gaps.scores import ScoreRow
from xharness.gaps.suites import Benchmark


@dataclass(frozen=True)
class ArmChoice:
    """Which of a run's arms is meant; what is None need not be chosen."""

    model: str | None = None
    strategy: str | None = None
    seed: int | None = None


def select_rows(file: Path, arm_choice: ArmChoice, benchmark: Benchmark) -> list[ScoreRow]:
    """The chosen arm's task scores that `file` holds, in the suite's order.

    Raises:
        ConfigurationError: no scores, several arms to choose from, or an unknown one.
    """
    if not file.is_file():
        raise ConfigurationError("there are no scores of a run here", where=str(file))
    rows = [
        row
        for row in scores.read(file)
        # Without a stage it is somebody else's number: there are no predictions behind it.
        if isinstance(row, ScoreRow) and row.main and row.stage is not None
    ]
    # A board may have more tasks than the suite; those are nobody's loss here.
    rows = [row for row in rows if row.language in benchmark.tasks.get(row.task, ())]
    if not rows:
        problem = f"the run has no score that {benchmark.name} asks for"
        hint = f"its tasks are: {', '.join(benchmark.tasks)}"
        raise ConfigurationError(problem, where=str(file), hint=hint)
    for name in ("model", "strategy", "seed"):
        rows = _rows_with(rows, name, getattr(arm_choice, name))
    return _in_order(rows, benchmark)


def _rows_with(rows: Sequence[ScoreRow], name: str, value: str | int | None) -> list[ScoreRow]:
    """The rows whose column `name` is as wanted; where nothing is wanted, it must be the same."""
    values = list(dict.fromkeys(getattr(row, name) for row in rows))
    if value is None and len(values) > 1:
        choices = f"{len(values)} {'strategies' if name == 'strategy' else f'{name}s'}"
        hint = f"choose one with --{name}: {', '.join(map(str, values))}"
        raise ConfigurationError(f"the run has {choices}", hint=hint)
    if value is not None and value not in values:
        hint = suggestion(str(value), map(str, values))
        raise ConfigurationError(f"the run has no {name} '{value}'", where=f"--{name}", hint=hint)
    return [row for row in rows if value is None or getattr(row, name) == value]


def _in_order(rows: Sequence[ScoreRow], benchmark: Benchmark) -> list[ScoreRow]:
    row_of_cell = {(row.task, row.language): row for row in rows}
    cells = ((task, code) for task, codes in benchmark.tasks.items() for code in codes)
    return [row_of_cell[cell] for cell in cells if cell in row_of_cell]
