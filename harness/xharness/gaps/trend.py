"""Does the gap, or what a strategy changes in it, move with model size?

Parameters outside the embedding come first: the others mostly count the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from xharness.gaps import slopes
from xharness.gaps.averages import Tasks, over_tasks
from xharness.gaps.changes import contrasts_over
from xharness.gaps.intervals import change_estimates, gap_estimates, holm
from xharness.gaps.measured import MeasuredArm
from xharness.gaps.pools import common_seeds, members
from xharness.gaps.scores import CellRow, ScoreRow
from xharness.gaps.spread import LEVEL
from xharness.gaps.trend_text import answer, undefined
from xharness.gaps.values import ArmName, Axis, Estimate, FamilySlope, Point, TaskPool, Trend

TrendSubject = Literal["gap", "change"]
_AXES: tuple[Axis, ...] = ("non-embedding", "total")


@dataclass(frozen=True)
class ModelSize:
    """How large a model is, and which models it is one size of."""

    total: int | None
    non_embedding: int | None
    family: str | None

    def along(self, axis: Axis) -> int | None:
        """The parameters that count on this axis."""
        return self.total if axis == "total" else self.non_embedding


def sizes(rows: Iterable[CellRow]) -> dict[str, ModelSize]:
    """Model to its size, from its first row that knows it."""
    model_sizes: dict[str, ModelSize] = {}
    for row in rows:
        if (
            isinstance(row, ScoreRow)
            and row.parameters is not None
            and row.model not in model_sizes
        ):
            model_sizes[row.model] = ModelSize(
                row.parameters, row.non_embedding_parameters, row.family
            )
    return model_sizes


def trends(
    measured: Sequence[MeasuredArm],
    pools: Sequence[TaskPool],
    sizes: Mapping[str, ModelSize],
    baseline: str,
) -> tuple[Trend, ...]:
    """The trends of the first pool, for every strategy; words corrected over the strategies."""
    if not pools or not pools[0].tasks:
        return ()
    arms = members(measured, pools[0])
    strategies = sorted({strategy for _, strategy in pools[0].arms})
    subjects: list[tuple[TrendSubject, str]] = [
        ("change", name) for name in strategies if name != baseline
    ]
    subjects += [("gap", name) for name in strategies]
    strategy_trends = [
        _trend(Trend(subject, strategy, baseline, axis), arms, pools[0], sizes)
        for subject, strategy in subjects
        for axis in _AXES
    ]
    return tuple(answer(trend) for trend in _corrected(strategy_trends))


def _corrected(trends: Sequence[Trend]) -> list[Trend]:
    """Holm over the changes on the first axis; other trends carry no word."""
    tested = [
        trend.slope.p
        if trend.slope is not None and trend.of == "change" and trend.axis == _AXES[0]
        and slopes.degrees_of_freedom(_families(trend)) >= slopes.FEWEST_DEGREES
        else None
        for trend in trends
    ]  # fmt: skip
    return [
        trend if p is None else replace(trend, adjusted=p, word=_word(trend.slope, p))
        for trend, p in zip(trends, holm(tested), strict=True)
    ]


def _word(slope: Estimate | None, p: float) -> Literal["narrower", "wider", "open"]:
    if slope is None or p >= LEVEL:
        return "open"
    return "wider" if slope.value > 0 else "narrower"


def _families(trend: Trend) -> list[str]:
    """The family of each model that a slope within families stands on."""
    return [family.family for family in trend.families for _ in family.models]


def _trend(
    empty: Trend,
    arms: Mapping[ArmName, Tasks],
    pool: TaskPool,
    sizes: Mapping[str, ModelSize],
) -> Trend:
    models = {
        model: parameters
        for model, strategy in arms
        if strategy == empty.strategy
        and model in sizes
        and (parameters := sizes[model].along(empty.axis))
        and _learnt_tasks(_judge(arms, model, empty), pool)
    }
    # The same tasks for every model: else a slope over sizes would be one over tasks.
    tasks = tuple(
        task
        for task in pool.tasks
        if all(task in _learnt_tasks(_judge(arms, model, empty), pool) for model in models)
    )
    if models and not tasks:
        return undefined(empty, "no task was learnt by the baseline of every model")
    points = [
        Point(model, parameters, sizes[model].family, value)
        for model, parameters in models.items()
        if (value := _value(arms, model, empty, tasks, pool)) is not None
    ]
    points.sort(key=lambda point: (point.parameters, point.model))
    return _with_slope(replace(empty, points=tuple(points), tasks=tasks))


def _judge(arms: Mapping[ArmName, Tasks], model: str, trend: Trend) -> Tasks:
    """What decides over the tasks: the model's baseline, the strategy where there is none.

    The baseline, so that no strategy chooses the tasks it is seen on.
    """
    return arms.get(ArmName(model, trend.against), arms[ArmName(model, trend.strategy)])


def _learnt_tasks(tasks: Tasks, pool: TaskPool) -> set[str]:
    return {
        task
        for task in pool.tasks
        if task in tasks
        and tasks[task].gap.learning.passed
        and tasks[task].gap.gap is not None
        and tasks[task].gap.languages == pool.languages[task]
    }


def _value(
    arms: Mapping[ArmName, Tasks], model: str, trend: Trend, tasks: Sequence[str], pool: TaskPool
) -> Estimate | None:
    """The strategy's gap over the tasks, or its change; None where it lacks or failed one."""
    tasks_of_arm = arms[ArmName(model, trend.strategy)]
    base = arms.get(ArmName(model, trend.against))
    # One task fewer is another average: the model is left out, not the task.
    if not set(tasks) <= _learnt_tasks(tasks_of_arm, pool) or not common_seeds(tasks_of_arm, tasks):
        return None
    if trend.of == "gap":
        return gap_estimates([over_tasks(tasks_of_arm, tasks)["gap"]])[0]
    if base is None or not common_seeds(base, tasks):
        return None
    if any("gap" not in tasks_of_arm[task].contrasts for task in tasks):
        return None
    return change_estimates(
        [contrasts_over(tasks_of_arm, base, tasks, ("gap",))["gap"]], test=False
    )[0]


def _with_slope(trend: Trend) -> Trend:
    groups: dict[str, list[Point]] = {}
    for point in trend.points:
        # a model of unknown family is a family of its own
        groups.setdefault(point.family or point.model, []).append(point)
    families = {
        name: points
        for name, points in groups.items()
        # Two models of one size say nothing of size, however many they are.
        if len({point.parameters for point in points}) > 1
    }
    singles = [point.model for name in groups for point in groups[name] if name not in families]
    described = replace(
        trend,
        alone=tuple(singles),
        families=tuple(
            FamilySlope(name, tuple(point.model for point in points), _slope({name: points}))
            for name, points in families.items()
        ),
    )
    if not families:
        return undefined(described, "no family has two sizes")
    slope = _slope(families)
    if slope is None or slope.error is None:
        return undefined(
            described,
            "a slope with an interval needs three sizes of a family, or two of each of two",
        )
    return replace(described, slope=slope)


def _slope(families: Mapping[str, Sequence[Point]]) -> Estimate | None:
    points = [(name, point) for name, family_points in families.items() for point in family_points]
    return slopes.within_families(
        # Base 2, so that a slope is points for each doubling.
        np.log2([float(point.parameters) for _, point in points]),
        np.array([point.value.value for _, point in points]),
        np.array([(point.value.error or 0.0) ** 2 for _, point in points]),
        [name for name, _ in points],
    )
