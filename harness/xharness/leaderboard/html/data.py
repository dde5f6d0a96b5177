"""What the page's scripts know of a board, as JSON.

Numbers are whole tenths of a point, rounded here and nowhere else: a script divides by ten and
shows one decimal. The map's numbers are packed, or a large board would not fit into a page.
"""

from __future__ import annotations

import base64
from array import array
from collections.abc import Iterable, Sequence
from sys import byteorder
from typing import Any

from xharness.gaps import ArmName, Average, Change, Estimate, TaskGap, TaskPool, Trend, rounded
from xharness.leaderboard import columns
from xharness.leaderboard.board import Board
from xharness.leaderboard.sections import cells
from xharness.leaderboard.sections.languages import codes_of
from xharness.leaderboard.sections.tasks import learning_remarks
from xharness.leaderboard.text import known_detectable
from xharness.spec.languages import find_language

Values = dict[str, Any]
_NONE = -32768  # of a packed number that is not there
_SHARES = 10_000  # parts that a p value is counted in
_LARGE = 60_000  # cells of the maps beyond which the page leaves their intervals to the details


class _Texts:
    """Texts that many rows share, each once; rows hold their numbers."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def numbers_of(self, texts: Iterable[str | None]) -> list[int]:
        """The numbers of these texts, in order."""
        return [self.numbers.setdefault(text, len(self.numbers)) for text in texts if text]


def data(board: Board) -> Values:
    """Everything that sorts, filters and shows itself in the page."""
    texts = _Texts()
    codes = sorted({code for task in board.tasks for code in codes_of(board, task)})
    cell_count = sum(len(task_gap.scores) for task_gap in board.gaps.tasks)
    return {
        "source": board.source_name,
        "baseline": board.gaps.baseline,
        "words": {
            "model": columns.MODEL, "strategy": columns.STRATEGY, "task": columns.TASK,
            "body": columns.NON_EMBEDDING, "source": board.source_name, "others": columns.OTHERS,
            "gap": columns.GAP, "change_gap": columns.CHANGE_OF_GAP,
            "change_others": columns.CHANGE_OF_OTHERS, "reads": columns.READS_AS,
            "detectable": columns.DETECTABLE, "retention": columns.RETENTION,
            "lowest": columns.LOWEST, "seeds": columns.SEEDS,
        },
        "strategies": board.strategies,
        "models": {model: _model(board, model) for model, _ in board.arms},
        "tasks": board.tasks,
        "rows": [*_averages(board, texts), *_tasks(board, texts)],
        "headlines": _headlines(board),
        "languages": {code: language[1:] for code in codes if (language := find_language(code))},
        "maps": [
            task_map
            for task in board.tasks
            if (task_map := _map(board, task, texts, with_intervals=cell_count <= _LARGE))
        ],
        "trends": [_trend(trend) for trend in board.gaps.trends if trend.slope],
        "pool": texts.numbers_of([_pool_text(board.pool)] if board.pool else []),
        "texts": [*texts.numbers],
    }  # fmt: skip


def _model(board: Board, model: str) -> Values:
    size = board.size_of(model)
    return {"total": size.total, "body": size.non_embedding, "family": board.families.get(model)}


def tenths(value: float | None, decimals: int = 1) -> int | None:
    """A number in tenths, or other decimals, rounded as everywhere."""
    # Rounded a second time, because ten times 0.7 is not quite 7 in binary.
    return None if value is None else round(rounded(value, decimals) * 10**decimals)


def estimate(number: Estimate | None, decimals: int = 1) -> list[int | None] | None:
    """Value, lower and upper end; the value alone where there is no interval."""
    if number is None:
        return None
    ends = [] if number.low is None else [number.low, number.high]
    return [tenths(end, decimals) for end in (number.value, *ends)]


def _averages(board: Board, texts: _Texts) -> list[Values]:
    """An arm may stand in several pools; its change is counted in the first."""
    return [
        {
            **_row(board, arm, average, _first_change(board, average), texts),
            "task": None,
            "tasks": [board.tasks.index(task) for task in average.tasks],
        }
        for arm in board.arms
        for average in board.gaps.averages
        if average.arm == arm
    ]


def _first_change(board: Board, average: Average) -> Change | None:
    first = board.averages.get(average.arm)
    return board.changes.get((average.arm, None)) if first is average else None


def _tasks(board: Board, texts: _Texts) -> list[Values]:
    return [
        {
            **_row(board, arm, task_gap, board.changes.get((arm, task)), texts),
            "task": index,
            "lowest": task_gap.worst,
        }
        for index, task in enumerate(board.tasks)
        for arm in board.arms
        if (task_gap := board.task_gaps.get((arm, task))) is not None
    ]


def _row(
    board: Board, arm: ArmName, measured: TaskGap | Average, change: Change | None, texts: _Texts
) -> Values:
    remarks: Sequence[str] = ()
    if isinstance(measured, TaskGap):
        published = board.publications.get((*arm, measured.task), ())
        remarks = (*published, *learning_remarks(measured))
    notes = dict.fromkeys((*remarks, *measured.notes, *(change.notes if change else ())))
    values = {
        "model": arm.model,
        "strategy": arm.strategy,
        "pool": texts.numbers_of([_pool_text(measured)]),
        "seeds": None if measured.seeds in ((), (None,)) else len(measured.seeds),
        "source": estimate(measured.source),
        "others": estimate(measured.others),
        "gap": estimate(measured.gap),
        "retention": estimate(measured.retention, 2),
        "change_gap": estimate(change.gap if change else None),
        "change_others": estimate(change.others if change else None),
        "reads": change.reads_as if change else None,
        "unlearnt": isinstance(measured, TaskGap) and not measured.learning.passed,
        "claim": bool(change and change.verdict is not None and change.verdict.is_claim),
        "detectable": known_detectable(change.detectable["gap"])
        if change and "gap" in change.detectable
        else None,
        "covers": texts.numbers_of([" and ".join(measured.covers)]),
        "why": texts.numbers_of([measured.undefined]),
        "why_change": texts.numbers_of([change.undefined if change else None]),
        "notes": texts.numbers_of(notes),
    }
    # What is absent costs no bytes: scripts read a missing key as nothing.
    return {name: value for name, value in values.items() if value not in (None, [], "", False)}


def _pool_text(measured: TaskGap | Average | TaskPool) -> str:
    """Who measured, and how: numbers of two such kinds stand in no picture together."""
    return f"{measured.provenance}, {measured.protocol}"


def _headlines(board: Board) -> list[Values]:
    """Each strategy over the models: what the chart opens on."""
    return [
        {
            "strategy": headline.strategy,
            "models": len(headline.models),
            "change_gap": estimate(headline.gap),
            "change_others": estimate(headline.others),
            "reads": headline.reads_as or headline.undefined,
            "claim": headline.verdict is not None and headline.verdict.is_claim,
        }
        for headline in board.gaps.headlines
    ]


def _map(board: Board, task: str, texts: _Texts, *, with_intervals: bool) -> Values | None:
    """One task's heat map: a column for each arm that the rows speak of."""
    task_gaps = [*board.on(task).values()]
    codes = codes_of(board, task)
    if not codes:
        return None
    sources = (task_gap.source_language for task_gap in task_gaps if task_gap.source_language)
    return {
        "task": task,
        "source": next(sources, None),
        "codes": codes,
        "columns": [
            _column(board, task_gap, codes, texts, with_intervals) for task_gap in task_gaps
        ],
    }


def _column(
    board: Board, task_gap: TaskGap, codes: Sequence[str], texts: _Texts, with_intervals: bool
) -> Values:
    change = board.changes.get((task_gap.arm, task_gap.task))
    scores = [task_gap.scores.get(code) for code in codes]
    tests = [change.tests.get(code) if change else None for code in codes]
    source = task_gap.source.value if task_gap.source is not None else None
    column: Values = {
        "model": task_gap.model,
        "strategy": task_gap.strategy,
        "scores": packed(score.value if score else None for score in scores),
        "lost": packed(
            source - score.value
            if score and source is not None and code in task_gap.languages
            else None
            for code, score in zip(codes, scores, strict=True)
        ),
    }
    if with_intervals:
        column["low"] = packed(score.low if score else None for score in scores)
        column["high"] = packed(score.high if score else None for score in scores)
    if any(tests):
        column["change"] = packed(test.difference.value if test else None for test in tests)
        column["p"] = packed_whole(
            None if test is None or test.adjusted is None else round(test.adjusted * _SHARES)
            for test in tests
        )
    # Only holes have a reason, by their index: nearly all cells have a score.
    silent = task_gap.undefined or cells.SILENT
    reasons = {
        index: texts.numbers_of([task_gap.absent.get(code, silent)])[0]
        for index, code in enumerate(codes)
        if code not in task_gap.scores
    }
    return {**column, "why": reasons} if reasons else column


def packed(values: Iterable[float | None]) -> str:
    """Tenths of points as 16-bit whole numbers in base64; -32768 where there is none."""
    return packed_whole(tenths(value) for value in values)


def packed_whole(values: Iterable[int | None]) -> str:
    """Whole numbers, little-endian as every browser of today has them."""
    numbers = array("h", [_NONE if value is None else value for value in values])
    if byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _trend(trend: Trend) -> Values:
    """The slope in hundredths, the points it goes through."""
    return {
        "of": trend.of,
        "strategy": trend.strategy,
        "axis": trend.axis,
        "points": [[point.model, tenths(point.value.value)] for point in trend.points],
        "slope": estimate(trend.slope, 2),
        "answer": trend.answer,
        "word": trend.word,
    }
