"""Published averages against their own cells: what a source states, and what its numbers give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from xharness.gaps.scores import ScoreRow, StatedAverage

_EXACT = 4  # decimals: a number with as many or more was not rounded for print
_SPARE = 1e-9  # points that binary fractions are off by


@dataclass(frozen=True)
class CheckedAverage:
    """A stated average, and the nearest that its own cells give under a usual reading."""

    stated: StatedAverage
    derived: float | None = None
    reading: str = "its cells are not here"
    contradicted: bool = False


def check_averages(
    all_stated: Sequence[StatedAverage], scores: Sequence[ScoreRow]
) -> list[CheckedAverage]:
    """Every stated average, checked where the same source states what it is the average of."""
    return [_checked(stated, all_stated, scores) for stated in all_stated]


def _checked(
    stated: StatedAverage, all_stated: Sequence[StatedAverage], scores: Sequence[ScoreRow]
) -> CheckedAverage:
    readings = [*(_languages(stated, scores) if stated.task else _tasks(stated, all_stated))]
    if not readings:
        return CheckedAverage(stated)
    nearest = min(readings, key=lambda reading: abs(reading.value - stated.mean))
    finest = max(_decimals(cell) for cell in nearest.cells)
    # Both the average and its cells were rounded for print, by half of their last digit at most.
    allowed = 0.5 * 10.0 ** -_decimals(stated.mean) + 0.5 * 10.0**-finest + _SPARE
    is_contradicted = abs(nearest.value - stated.mean) > allowed
    return CheckedAverage(stated, nearest.value, nearest.wording, is_contradicted)


class AverageReading(NamedTuple):
    """One way to read what an average was taken over."""

    wording: str
    """`mean of 7 tasks`."""
    cells: Sequence[float]
    """The published numbers that it is the average of, in points."""
    value: float
    """What that gives, in points."""


def _languages(stated: StatedAverage, scores: Sequence[ScoreRow]) -> Iterator[AverageReading]:
    """The mean over the languages that the same source states of the same arm."""
    cells = [
        row.value
        for row in scores
        if (row.model, row.strategy, row.seed, row.task, row.metric, row.source)
        == (stated.model, stated.strategy, stated.seed, stated.task, stated.metric, stated.source)
        and stated.split in (None, row.split)
    ]
    if cells:
        yield AverageReading(f"mean of {len(cells)} languages", cells, fmean(cells))


def _tasks(stated: StatedAverage, all_stated: Sequence[StatedAverage]) -> Iterator[AverageReading]:
    """The mean over the tasks of the same source, question answering read in two ways."""
    tasks: dict[str, dict[str, float]] = defaultdict(dict)
    for row in all_stated:
        if row.task is not None and (row.model, row.strategy, row.seed, row.suite, row.source) == (
            stated.model, stated.strategy, stated.seed, stated.suite, stated.source,
        ):  # fmt: skip
            tasks[row.task][row.metric] = row.mean
    if not tasks or (stated.averaged_over == "families" and not stated.families):
        return
    cells = [value for values in tasks.values() for value in values.values()]
    of_two = any(len(values) > 1 for values in tasks.values())
    # Publications average QA in both ways and seldom say which; either one acquits them.
    for f1_alone in (False, True) if of_two else (False,):
        values = {task: _score(metrics, f1_alone) for task, metrics in tasks.items()}
        wording = (
            f"mean of {len(values)} tasks"
            if stated.averaged_over == "tasks"
            else "mean of family means"
        )
        qa_wording = (", F1 alone" if f1_alone else ", (EM + F1) / 2") if of_two else ""
        yield AverageReading(wording + qa_wording, cells, _average(values, stated))


def _score(metrics: Mapping[str, float], f1_alone: bool) -> float:
    """A task's score from its metrics, which are exact match and F1 where there are two."""
    f1 = [value for metric, value in metrics.items() if metric.endswith("f1")]
    return fmean(f1 if f1_alone and f1 else metrics.values())


def _average(values: Mapping[str, float], stated: StatedAverage) -> float:
    if stated.averaged_over == "tasks":
        return fmean(values.values())
    families = [[values[task] for task in family if task in values] for family in stated.families]
    return fmean(fmean(family_values) for family_values in families if family_values)


def _decimals(value: float) -> int:
    return min(_EXACT, len(repr(value).partition(".")[2]))
