"""The one table of the first screen: the baseline first, the rest by what the others gain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf
from statistics import fmean

from xharness.gaps import ArmName, Average, Change, Estimate, Headline, Verdict, rounded
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.text import points, signed, with_interval
from xharness.phrases import counted, listed

_LINES = 18  # of the table; a reader takes in no more, and leaderboard.md has 40 lines for all
_MODELS = 6  # beyond it, strategies are shown over all models alone
_FOLDED, _FOLDED_EMPTY = 4, 8  # arms that one line can hold: with numbers, and without
_BASELINE_RANK = 2  # after claims, which stay longer than all others
_NOTHING = "—"


@dataclass(frozen=True)
class Line:
    """One row: an arm, arms of one reading folded together, or a strategy over all models."""

    model: str
    strategies: tuple[str, ...]
    cells: tuple[str, ...]
    """What stands under the columns after the strategy, the reading last."""
    reading: str
    is_baseline: bool = False
    is_claim: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """All cells, from the model to the reading."""
        return (self.model, " · ".join(self.strategies), *self.cells)


@dataclass(frozen=True)
class FirstTable:
    """Column names, lines, and how many arms of which reading stand in the details alone."""

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    other_arms: dict[str, int]


def first_table(board: Board) -> FirstTable:
    """The table of the first pool; of one without averages, the gaps task by task."""
    if board.pool is None or not any(
        board.averages[arm].gap for arm in board.pool_arms if arm in board.averages
    ):
        return _task_by_task(board)
    sourceless = _sourceless_changes(board)
    extra = (f"Δ {_tasks_named(board)}",) if sourceless else ()
    header = (
        columns.MODEL, columns.STRATEGY, board.source_name, columns.OTHERS, columns.GAP,
        columns.CHANGE_OF_GAP, columns.CHANGE_OF_OTHERS, *extra, columns.READS_AS,
    )  # fmt: skip
    models = list(dict.fromkeys(model for model, _ in board.pool_arms))
    overall = list(_over_models(board, models, sourceless)) if len(models) > 1 else []
    arms: list[Line] = []
    if len(models) <= _MODELS or not overall:
        for model in models:
            arms += _model_lines(board, model, sourceless)
    arm_lines, other_arms = _cut(arms, _LINES - len(overall))
    # No arm has a line of its own then, so all are counted by their readings.
    if len(models) > _MODELS and overall:
        other_arms = dict(
            Counter(_reading(board, arm) for arm in board.pool_arms if _is_change(board, arm))
        )
    return FirstTable(header, (*overall, *arm_lines), other_arms)


def _is_change(board: Board, arm: ArmName) -> bool:
    return arm.strategy != board.gaps.baseline


def _tasks_named(board: Board) -> str:
    names = board.pool.sourceless if board.pool is not None else ()
    return (
        listed(names)
        if len(names) < 3
        else f"{counted(len(names), 'task')} without {board.source_name}"
    )


def _sourceless_changes(board: Board) -> dict[ArmName, Change]:
    return {
        change.arm: change
        for change in board.gaps.sourceless_changes
        if change.others is not None and change.arm in board.pool_arms
    }


def _model_lines(board: Board, model: str, sourceless: Mapping[ArmName, Change]) -> list[Line]:
    """The baseline, then the arms from the largest Δ others down; those without one at the end."""
    arms = [arm for arm in board.pool_arms if arm.model == model]
    baselines = [arm for arm in arms if not _is_change(board, arm)]
    compared = sorted(
        (arm for arm in arms if _is_change(board, arm)),
        key=lambda arm: _sort_key(board, arm),
    )
    lines = [_arm_line(board, arm, sourceless) for arm in (*baselines, *compared)]
    return list(_folded(lines))


def _sort_key(board: Board, arm: ArmName) -> tuple[float, str]:
    """From the largest Δ others down; arms without one at the end, those of one reason together."""
    change = board.changes.get((arm, None))
    if change is not None and change.others is not None:
        # As shown: what reads as a tie keeps the board's order, here and on the page.
        return -rounded(change.others.value), ""
    return inf, _reading(board, arm)


def _arm_line(board: Board, arm: ArmName, sourceless: Mapping[ArmName, Change]) -> Line:
    average, change = board.averages.get(arm), board.changes.get((arm, None))
    is_baseline = not _is_change(board, arm)
    reading = _reading(board, arm)
    cells = [
        *_level_cells(average),
        *((_NOTHING, _NOTHING) if is_baseline else _change_cells(change)),
        *([_sourceless_cell(sourceless.get(arm), change)] if sourceless else []),
        reading,
    ]
    claims = change is not None and change.verdict is not None and change.verdict.is_claim
    return Line(arm.model, (arm.strategy,), tuple(cells), reading, is_baseline, claims)


def _reading(board: Board, arm: ArmName) -> str:
    """The verdict in words, or why there is none."""
    if not _is_change(board, arm):
        average = board.averages.get(arm)
        reason = average.undefined if average is not None and average.gap is None else None
        return f"{columns.BASELINE}, {reason}" if reason else columns.BASELINE
    change, average = board.changes.get((arm, None)), board.averages.get(arm)
    if change is not None and change.reads_as:
        return change.reads_as
    reason = change.undefined if change is not None else None
    return reason or (average.undefined if average is not None else None) or "not scored"


def _level_cells(average: Average | None) -> list[str]:
    if average is None:
        return [_NOTHING] * 3
    estimates = (average.source, average.others, average.gap)
    return [_NOTHING if estimate is None else points(estimate.value) for estimate in estimates]


def _change_cells(change: Change | None) -> list[str]:
    if change is None:
        return [_NOTHING, _NOTHING]
    exploratory = change.verdict is Verdict.EXPLORATORY
    return [
        _change_cell(estimate, without_interval=exploratory)
        for estimate in (change.gap, change.others)
    ]


def _change_cell(estimate: Estimate | None, *, without_interval: bool) -> str:
    """With its interval, but of exploratory arms: theirs knows nothing of the luck of training."""
    if estimate is None:
        return _NOTHING
    return signed(estimate.value) if without_interval else with_interval(estimate, change=True)


def _sourceless_cell(sourceless: Change | None, change: Change | None) -> str:
    without_interval = change is None or change.verdict is Verdict.EXPLORATORY
    return _change_cell(
        sourceless.others if sourceless is not None else None, without_interval=without_interval
    )


def _folded(lines: Sequence[Line]) -> Iterator[Line]:
    """Arms that have no number for the same reason, or did not learn, a few to a line."""
    for may_fold, group in groupby(lines, key=_folds_as):
        members = list(group)
        if may_fold is None:
            yield from members
            continue
        count = _FOLDED_EMPTY if _is_empty(members[0]) else _FOLDED
        for start in range(0, len(members), count):
            yield _fold(members[start : start + count])


def _folds_as(line: Line) -> str | None:
    """The reading that arms beside each other share a line for; None for a line of its own."""
    statuses = (Verdict.NOT_LEARNT.value, Verdict.UNSTABLE.value)
    folds = _is_empty(line) or line.reading.startswith(statuses)
    return line.reading if folds and not line.is_baseline else None


def _is_empty(line: Line) -> bool:
    return all(cell == _NOTHING for cell in line.cells[:-1])


def _fold(lines: Sequence[Line]) -> Line:
    cells = [
        values[0] if len({*values}) == 1 else " · ".join(values)
        for values in zip(*(line.cells for line in lines), strict=True)
    ]
    strategies = tuple(strategy for line in lines for strategy in line.strategies)
    return replace(lines[0], strategies=strategies, cells=tuple(cells))


def _cut(lines: Sequence[Line], line_limit: int) -> tuple[list[Line], dict[str, int]]:
    """The lines that fit: baselines stay longest, then claims, of all others the ends."""
    surplus = len(lines) - line_limit
    dropped: set[Line] = set()
    for rank in range(_BASELINE_RANK + 1):
        members = [line for line in lines if _rank(line) == rank]
        count = min(max(0, surplus - len(dropped)), len(members))
        # What lies in the middle of Δ others says least.
        start = (len(members) - count + 1) // 2 if rank < _BASELINE_RANK else len(members) - count
        dropped.update(members[start : start + count])
    other_arms = Counter(line.reading for line in dropped for _ in line.strategies)
    return [line for line in lines if line not in dropped], dict(other_arms)


def _rank(line: Line) -> int:
    """How long a line stays where not all fit."""
    return _BASELINE_RANK if line.is_baseline else int(line.is_claim)


def _over_models(
    board: Board, models: Sequence[str], sourceless: Mapping[ArmName, Change]
) -> Iterator[Line]:
    """The baseline and each strategy over all models that share it."""
    headlines = [
        headline for headline in board.gaps.headlines if headline.gap and len(headline.models) > 1
    ]
    if not headlines:
        return
    base = board.gaps.baseline
    widest = max((headline.models for headline in headlines), key=len)
    name = _mean_of(widest, models)
    cells = _mean_cells(board, widest, base, sourceless)
    yield Line(name, (base,), cells, columns.BASELINE, is_baseline=True)
    for headline in sorted(headlines, key=_headline_key):
        cells = (
            *_mean_levels(board, headline.models, headline.strategy),
            _change_cell(headline.gap, without_interval=False),
            _change_cell(headline.others, without_interval=False),
            *(
                [_mean_sourceless(headline.models, headline.strategy, sourceless)]
                if sourceless
                else []
            ),
            headline.reads_as or headline.undefined or "open",
        )
        claims = headline.verdict is not None and headline.verdict.is_claim
        averaged = _mean_of(headline.models, models)
        yield Line(averaged, (headline.strategy,), cells, cells[-1], is_claim=claims)


def _mean_of(averaged: Sequence[str], models: Sequence[str]) -> str:
    """`mean of 3 models`, `mean of 3 of 4 models`."""
    share = f"{len(averaged)} of " if len(averaged) < len(models) else ""
    return f"mean of {share}{counted(len(models), 'model')}"


def _headline_key(headline: Headline) -> float:
    """From the largest Δ others down, as it is shown."""
    return -rounded(headline.others.value) if headline.others is not None else inf


def _mean_cells(
    board: Board, models: Sequence[str], strategy: str, sourceless: Mapping[ArmName, Change]
) -> tuple[str, ...]:
    blanks = [_NOTHING] * (3 if sourceless else 2)
    return (*_mean_levels(board, models, strategy), *blanks, columns.BASELINE)


def _mean_levels(board: Board, models: Sequence[str], strategy: str) -> list[str]:
    averages = [board.averages.get(ArmName(model, strategy)) for model in models]
    defined = [average for average in averages if average is not None and average.gap is not None]
    readers: tuple[Callable[[Average], Estimate | None], ...] = (
        lambda average: average.source,
        lambda average: average.others,
        lambda average: average.gap,
    )
    return [_mean([reader(average) for average in defined], points) for reader in readers]


def _mean_sourceless(
    models: Sequence[str], strategy: str, sourceless: Mapping[ArmName, Change]
) -> str:
    changes = [sourceless.get(ArmName(model, strategy)) for model in models]
    return _mean([change.others for change in changes if change is not None], signed)


def _mean(estimates: Sequence[Estimate | None], show: Callable[[float], str]) -> str:
    values = [estimate.value for estimate in estimates if estimate is not None]
    return show(fmean(values)) if values else _NOTHING


def _task_by_task(board: Board) -> FirstTable:
    """The gaps of arms that share no task, so that there is nothing to average over."""
    arms = [arm for arm in board.arms if arm in board.pool_arms or board.pool is None]
    gaps = {cell: task_gap.gap for cell, task_gap in board.task_gaps.items() if task_gap.gap}
    tasks = [task for task in board.tasks if any((arm, task) in gaps for arm in arms)]
    header = (columns.MODEL, columns.STRATEGY, *(f"{columns.GAP}, {task}" for task in tasks))
    lines = [
        Line(
            arm.model,
            (arm.strategy,),
            tuple(
                with_interval(gaps[arm, task]) if (arm, task) in gaps else _NOTHING
                for task in tasks
            ),
            reading="",
        )
        for arm in arms
        if any((arm, task) in gaps for task in tasks)
    ]
    surplus = len(lines) - _LINES
    return FirstTable(
        header, tuple(lines[:_LINES]), {"task by task": surplus} if surplus > 0 else {}
    )
