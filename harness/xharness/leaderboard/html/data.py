"""What the page's scripts know of a board, as JSON: rows, languages, trends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xharness.gaps import Arm, Average, Change, Estimate, TaskGap, Test, Trend
from xharness.leaderboard.board import Board
from xharness.leaderboard.figures.style import MARKERS
from xharness.leaderboard.sections import cells
from xharness.leaderboard.sections.languages import codes_of
from xharness.spec.languages import LANGUAGES

Values = dict[str, Any]
_DECIMALS = 3


def data(board: Board) -> Values:
    """Everything that sorts, filters and shows itself in the page."""
    return {
        "source": board.source,
        "baseline": board.gaps.baseline,
        "markers": MARKERS,
        "strategies": board.strategies,
        "models": {model: _model(board, model) for model, _ in board.arms},
        "tasks": board.tasks,
        "rows": [*_averages(board), *_tasks(board)],
        "languages": {code: LANGUAGES[code][1:] for code in _all_codes(board) if code in LANGUAGES},
        "maps": [one for task in board.tasks if (one := _map(board, task))],
        "trends": [_trend(one) for one in board.gaps.trends if one.slope is not None],
    }


def _model(board: Board, model: str) -> Values:
    total, body = board.sizes.get(model, (None, None))
    return {"total": total, "body": body, "family": board.families.get(model)}


def estimate(found: Estimate | None) -> list[float | None] | None:
    """Value, lower and upper end, smallest detectable difference."""
    if found is None:
        return None
    every = (found.value, found.low, found.high, found.detectable)
    return [None if one is None else round(one, _DECIMALS) for one in every]


def _averages(board: Board) -> list[Values]:
    """An arm may stand in several pools; its change is counted in the first."""
    return [
        {
            **_row(board, one.arm, one, board.gaps.change(one.arm) if _first(board, one) else None),
            "task": None,
            "tasks": one.tasks,
            "near": one.near_chance,
        }
        for arm in board.arms
        for one in board.gaps.averages
        if one.arm == arm
    ]


def _first(board: Board, one: Average) -> bool:
    return board.gaps.average(one.arm) is one


def _tasks(board: Board) -> list[Values]:
    return [
        {
            **_row(board, arm, found, board.gaps.change(arm, task)),
            "task": task,
            "retention": estimate(found.retention),
            "worst": found.worst,
            "near": [task] if found.near_chance else [],
        }
        for task in board.tasks
        for arm in board.arms
        if (found := board.gaps.task(arm, task)) is not None
    ]


def _row(board: Board, arm: Arm, found: TaskGap | Average, change: Change | None) -> Values:
    of_change = {
        f"change_{name}": estimate(getattr(change, name) if change else None)
        for name in ("source", "mean", "gap")
    }
    said = board.publications.get((*arm, found.task), ()) if isinstance(found, TaskGap) else ()
    notes = [*said, *found.notes, *(change.notes if change else ())]
    return {
        "model": arm[0],
        "strategy": arm[1],
        "provenance": found.provenance,
        "protocol": found.protocol,
        "seeds": None if found.seeds == (None,) else len(found.seeds),
        "source": estimate(found.source),
        "mean": estimate(found.mean),
        "gap": estimate(found.gap),
        "relative": estimate(found.relative),
        **of_change,
        "rank": found.ranks.get("gap"),
        "over": found.over,
        "why": found.undefined,
        "why_change": change.undefined if change else None,
        "notes": list(dict.fromkeys(notes)),
    }


def _all_codes(board: Board) -> list[str]:
    return sorted({code for task in board.tasks for code in codes_of(board, task)})


def _map(board: Board, task: str) -> Values | None:
    """One task's heat map: a column for each arm that the rows speak of."""
    found = [one for arm in board.arms if (one := board.gaps.task(arm, task)) is not None]
    shown = codes_of(board, task)
    if not shown:
        return None
    return {
        "task": task,
        "source": next((one.source_language for one in found if one.source_language), None),
        "codes": shown,
        "columns": [_column(board, one, shown) for one in found],
    }


def _column(board: Board, found: TaskGap, shown: Sequence[str]) -> Values:
    change = board.gaps.change(found.arm, found.task)
    silent = found.undefined or cells.SILENT
    return {
        "model": found.model,
        "strategy": found.strategy,
        "scores": [estimate(found.scores.get(code)) for code in shown],
        "why": [None if code in found.scores else found.absent.get(code, silent) for code in shown],
        "tests": [_test(change.tests.get(code) if change else None) for code in shown],
    }


def _test(found: Test | None) -> list[Any] | None:
    """Difference, p after correction, method."""
    if found is None:
        return None
    p = None if found.adjusted is None else round(found.adjusted, 4)
    return [estimate(found.difference), p, found.method]


def _trend(found: Trend) -> Values:
    return {
        "of": found.of,
        "strategy": found.strategy,
        "axis": found.axis,
        "family": found.family,
        "points": [[one.model, one.parameters, round(one.value.value, 3)] for one in found.points],
        "slope": estimate(found.slope),
        "answer": found.answer,
    }
