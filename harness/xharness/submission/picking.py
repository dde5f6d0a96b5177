"""Which of a run's scores are exported: those of one arm, for what the suite asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xharness import scores
from xharness.errors import ConfigurationError, suggestion
from xharness.scores import Score
from xharness.suites import Benchmark


@dataclass(frozen=True)
class Choice:
    """Which of a run's arms is meant; what is None need not be chosen."""

    model: str | None = None
    strategy: str | None = None
    seed: int | None = None


def pick(file: Path, choice: Choice, benchmark: Benchmark) -> list[Score]:
    """The chosen arm's task scores that `file` holds, in the suite's order.

    Raises:
        ConfigurationError: no scores, several arms to choose from, or an unknown one.
    """
    if not file.is_file():
        raise ConfigurationError("there are no scores of a run here", where=str(file))
    rows = [
        row
        for row in scores.read(file)
        if isinstance(row, Score) and row.main and row.stage is not None
    ]
    rows = [row for row in rows if row.language in benchmark.tasks.get(row.task, ())]
    if not rows:
        what = f"the run has no score that {benchmark.name} asks for"
        hint = f"its tasks are: {', '.join(benchmark.tasks)}"
        raise ConfigurationError(what, where=str(file), hint=hint)
    for name in ("model", "strategy", "seed"):
        rows = _only(rows, name, getattr(choice, name))
    return _in_order(rows, benchmark)


def _only(rows: Sequence[Score], name: str, wanted: str | int | None) -> list[Score]:
    """The rows whose column `name` is as wanted; where nothing is wanted, it must be the same."""
    known = list(dict.fromkeys(getattr(row, name) for row in rows))
    if wanted is None and len(known) > 1:
        many = f"{len(known)} {'strategies' if name == 'strategy' else f'{name}s'}"
        hint = f"choose one with --{name}: {', '.join(map(str, known))}"
        raise ConfigurationError(f"the run has {many}", hint=hint)
    if wanted is not None and wanted not in known:
        hint = suggestion(str(wanted), map(str, known))
        raise ConfigurationError(f"the run has no {name} '{wanted}'", where=f"--{name}", hint=hint)
    return [row for row in rows if wanted is None or getattr(row, name) == wanted]


def _in_order(rows: Sequence[Score], benchmark: Benchmark) -> list[Score]:
    by_place = {(row.task, row.language): row for row in rows}
    asked = ((task, code) for task, codes in benchmark.tasks.items() for code in codes)
    return [by_place[place] for place in asked if place in by_place]
