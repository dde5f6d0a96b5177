"""Boards as data frames, for notebooks: one function a table, one line a row.

    import xharness

    xharness.dataframes.scores("runs/demo")    every score, every missing number with its reason
    xharness.dataframes.gaps("runs/demo")      each arm on each task: source, others, gap, intervals
    xharness.dataframes.languages("runs/demo") each arm, task and language, with intervals
    xharness.dataframes.changes("runs/demo")   each arm against the baseline
    xharness.dataframes.comparison("runs/a", "runs/b")   two runs, language by language, with tests

The frames are pandas'; `xharness leaderboard export` writes the same rows as Parquet, CSV or JSON
for anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness import leaderboard
from xharness.gaps import Change, Estimate, TaskGap
from xharness.leaderboard import Board
from xharness.leaderboard import comparison as sides
from xharness.leaderboard.board import Definitions
from xharness.leaderboard.comparison import Compared
from xharness.leaderboard.exports import tidy
from xharness.session.catalogue import open_catalogue

if TYPE_CHECKING:
    import pandas as pd

Source = Board | str | Path
"""A board, or the folder of one."""
Rows = list[dict[str, Any]]


def scores(board: Source) -> pd.DataFrame:
    """The rows of a board: one a model, strategy, seed, task, language and metric."""
    return _frame(tidy.records(_board(board)))


def gaps(board: Source) -> pd.DataFrame:
    """One row an arm and task; `*_low` and `*_high` are the ends of 95% intervals."""
    return _frame(_gaps(_board(board)))


def languages(board: Source) -> pd.DataFrame:
    """One row an arm, task and language, averaged over seeds."""
    return _frame(_languages(_board(board)))


def changes(board: Source) -> pd.DataFrame:
    """One row an arm and task: what the strategy changes against the baseline."""
    return _frame(_changes(_board(board).gaps.changes))


def comparison(folder_a: str | Path, folder_b: str | Path) -> pd.DataFrame:
    """One row an arm, task and language that both runs have: B minus A, with its test."""
    side_a, side_b = (sides.side(Path(folder)) for folder in (folder_a, folder_b))
    pairs = sides.common_arms(side_a, side_b)
    return _frame(_tests(sides.compare(side_a, side_b, pairs, _definitions().metrics)))


def _board(board: Source) -> Board:
    return board if isinstance(board, Board) else leaderboard.read(Path(board), *_definitions())


# A notebook asks for frame after frame, and loading all plugins takes a moment.
@cache
def _definitions() -> Definitions:
    return leaderboard.definitions_of(open_catalogue())


def _frame(rows: Rows) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _gaps(board: Board) -> Rows:
    return [_gap(task_gap) for task_gap in board.gaps.tasks]


def _gap(task_gap: TaskGap) -> dict[str, Any]:
    identity = {
        "model": task_gap.model,
        "strategy": task_gap.strategy,
        "task": task_gap.task,
        "metric": task_gap.metric,
    }
    facts = {
        "seeds": len(task_gap.seeds),
        "languages": len(task_gap.languages),
        "undefined": task_gap.undefined,
    }
    return identity | _estimate_columns(task_gap, ("source", "others", "gap", "retention")) | facts


def _languages(board: Board) -> Rows:
    return [
        {"model": task_gap.model, "strategy": task_gap.strategy, "task": task_gap.task,
         "metric": task_gap.metric,
         "language": code, "is_source": code == task_gap.source_language, **_ends("score", score)}
        for task_gap in board.gaps.tasks
        for code, score in task_gap.scores.items()
    ]  # fmt: skip


def _changes(changes: Iterable[Change]) -> Rows:
    return [
        {
            "model": change.model,
            "strategy": change.strategy,
            "against": change.against,
            "task": change.task,
        }
        | _estimate_columns(change, ("source", "others", "gap"))
        | {"undefined": change.undefined}
        for change in changes
    ]


def _tests(comparisons: Iterable[Compared]) -> Rows:
    return [
        {"pair": compared.pair.name, "task": compared.task, "language": code,
         **_ends("difference", test.difference),
         "p": test.difference.p, "p_adjusted": test.adjusted, "test": test.method}
        for compared in comparisons
        for code, test in compared.change.tests.items()
    ]  # fmt: skip


def _estimate_columns(values: TaskGap | Change, names: Sequence[str]) -> dict[str, Any]:
    return {
        key: value for name in names for key, value in _ends(name, getattr(values, name)).items()
    }


def _ends(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    """A number and the ends of its interval, as three columns."""
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
