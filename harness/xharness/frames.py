"""Boards as data frames, for notebooks: one function a table, one line a row.

    from xharness import frames

    frames.scores("runs/demo")            every score, every missing number with its reason
    frames.gaps("runs/demo")              each arm on each task: score, mean, gap, intervals
    frames.languages("runs/demo")         each arm, task and language, with intervals
    frames.changes("runs/demo")           each arm against the baseline
    frames.comparison("runs/a", "runs/b") two runs, language by language, with tests

The frames are pandas'; `xharness leaderboard export` writes the same rows as Parquet, CSV or JSON
for anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness import leaderboard, plugins
from xharness.catalogue import Catalogue
from xharness.gaps import Change, Estimate, TaskGap
from xharness.leaderboard import Board, tidy
from xharness.leaderboard import comparison as sides
from xharness.leaderboard.comparison import Compared

if TYPE_CHECKING:
    import pandas as pd

Folder = str | Path
Rows = list[dict[str, Any]]


def scores(folder: Folder) -> pd.DataFrame:
    """The rows of a run or board: one a model, strategy, seed, task, language and metric."""
    return _frame(tidy.records(_board(folder)))


def gaps(folder: Folder) -> pd.DataFrame:
    """One row an arm and task; `*_low` and `*_high` are the ends of 95% intervals."""
    return _frame(_gaps(_board(folder)))


def languages(folder: Folder) -> pd.DataFrame:
    """One row an arm, task and language, averaged over seeds."""
    return _frame(_languages(_board(folder)))


def changes(folder: Folder) -> pd.DataFrame:
    """One row an arm and task: what the strategy changes against the baseline."""
    return _frame(_changes(_board(folder).gaps.changes))


def comparison(a: Folder, b: Folder) -> pd.DataFrame:
    """One row an arm, task and language that both runs have: B minus A, with its test."""
    first, second = (sides.side(Path(one)) for one in (a, b))
    pairs = sides.alike(first, second)
    return _frame(_tests(sides.compare(first, second, pairs, _metrics())))


def _board(folder: Folder) -> Board:
    return leaderboard.read(Path(folder), _metrics())


@cache
def _metrics() -> Any:
    return leaderboard.metrics_of(Catalogue(plugins.load()))


def _frame(rows: Rows) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _gaps(board: Board) -> Rows:
    return [_gap(one) for one in board.gaps.tasks]


def _gap(one: TaskGap) -> dict[str, Any]:
    place = {"model": one.model, "strategy": one.strategy, "task": one.task, "metric": one.metric}
    told = {"seeds": len(one.seeds), "languages": len(one.languages), "undefined": one.undefined}
    return place | _spread(one, ("source", "mean", "gap", "retention")) | told


def _languages(board: Board) -> Rows:
    return [
        {"model": one.model, "strategy": one.strategy, "task": one.task, "metric": one.metric,
         "language": code, "is_source": code == one.source_language, **_ends("score", found)}
        for one in board.gaps.tasks
        for code, found in one.scores.items()
    ]  # fmt: skip


def _changes(found: Iterable[Change]) -> Rows:
    return [
        {"model": one.model, "strategy": one.strategy, "against": one.against, "task": one.task}
        | _spread(one, ("source", "mean", "gap"))
        | {"undefined": one.undefined}
        for one in found
    ]


def _tests(found: Iterable[Compared]) -> Rows:
    return [
        {"pair": one.pair.name, "task": one.task, "language": code,
         **_ends("difference", test.difference),
         "p": test.p, "p_adjusted": test.adjusted, "test": test.method}
        for one in found
        for code, test in one.change.tests.items()
    ]  # fmt: skip


def _spread(one: TaskGap | Change, names: Sequence[str]) -> dict[str, Any]:
    return {key: value for name in names for key, value in _ends(name, getattr(one, name)).items()}


def _ends(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    """A number and the ends of its interval, as three columns."""
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
