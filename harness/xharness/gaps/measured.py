"""One arm on one task: its source score, the mean of the others, their gap, and what stands by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import numpy as np

from xharness.gaps import learning
from xharness.gaps.breakdowns import breakdowns
from xharness.gaps.cells import ArmCells
from xharness.gaps.influences import ArmItems
from xharness.gaps.intervals import as_estimates, gap_estimates, score_estimates, wilson
from xharness.gaps.sampled import Contrast, Sampled, spread_of_means
from xharness.gaps.values import (
    ArmName,
    Change,
    Estimate,
    Levels,
    Quantity,
    Seed,
    TaskGap,
    TrainingBudget,
)
from xharness.spec.languages import name_of

QUANTITIES: tuple[Quantity, ...] = ("source", "others", "gap")
FEWEST_ITEMS = 10
"""Of each language, for a word: of five, all right against all wrong is p = 0.06 by an exact test,
where intervals that look normal see certainty."""


@dataclass(frozen=True)
class MeasuredArm:
    """What was measured of one arm on one task, with what its averages are made of."""

    gap: TaskGap
    quantities: Mapping[Quantity, Sampled] = field(default_factory=dict)
    floor_of_others: float = 0.0
    """The mean floor of the other languages, in points."""
    lost_seeds: Mapping[Seed, str] = field(default_factory=dict)
    training_steps: Mapping[str, int] | None = None
    """Key of a training to its steps, all seeds; None where some row doesn't say."""
    few_items: tuple[str, ...] = ()
    """The languages with so few items that no normal interval of theirs can be believed."""
    change: Change | None = None
    contrasts: Mapping[Quantity, Contrast] = field(default_factory=dict)
    """Against the baseline; empty where the two can't be compared."""

    @property
    def arm(self) -> ArmName:
        return self.gap.arm


def weights_of(source: str | None, languages: Sequence[str]) -> dict[Quantity, dict[str, float]]:
    """What each quantity adds up, by language; those that `languages` allow."""
    other_languages = [code for code in languages if code != source]
    weights: dict[Quantity, dict[str, float]] = {}
    if source in languages and source is not None:
        weights["source"] = {source: 1.0}
    if other_languages:
        weights["others"] = {code: 1 / len(other_languages) for code in other_languages}
    if len(weights) == 2:
        weights["gap"] = weights["source"] | {
            code: -1 / len(other_languages) for code in other_languages
        }
    return weights


def measured_arm(arm: ArmItems) -> MeasuredArm:
    """Measure an arm on its own."""
    cells = arm.cells
    if cells.problem is not None:
        gap = TaskGap(
            *cells.arm, cells.task,
            undefined=cells.problem, absent=cells.absent, notes=cells.notes,
        )  # fmt: skip
        return MeasuredArm(gap, lost_seeds=cells.lost_seeds)
    weights = weights_of(cells.source_language, cells.languages)
    quantities = dict(zip(weights, arm.quantities([*weights.values()]), strict=True))
    floors = _floors(cells)
    # Of the languages that are averaged, so that retention counts from where both begin.
    floor_of_others = fmean([floors[code] for code in cells.others] or [0.0])
    gap = _task_gap(arm, quantities, floors, floor_of_others)
    steps, few_items = training_steps(cells), tuple(_few_items(cells))
    return MeasuredArm(gap, quantities, floor_of_others, cells.lost_seeds, steps, few_items)


def _few_items(cells: ArmCells) -> Iterator[str]:
    for language in cells.languages:
        counts = [cells.rows[seed, language].n for seed in cells.seeds]
        if any(count is not None and count < FEWEST_ITEMS for count in counts):
            yield language


def estimates_of(quantities: Mapping[Quantity, Sampled]) -> dict[Quantity, Estimate]:
    """An arm's quantities with their intervals."""
    estimates: dict[Quantity, Estimate] = {}
    for name, quantity in quantities.items():
        # Wilson's interval stays between 0 and 100; a gap may lie on either side of zero.
        interval_of = gap_estimates if name == "gap" else score_estimates
        estimates[name] = interval_of([quantity])[0]
    return estimates


def retention(
    quantities: Mapping[Quantity, Sampled], floor: float, floor_of_others: float
) -> Estimate | None:
    """(others - floor) / (source - floor) with the delta method; None where the source is at it."""
    source, others, gap = (quantities.get(name) for name in QUANTITIES)
    # At its floor the source has learnt nothing that the others could retain.
    if source is None or others is None or gap is None or source.value - floor <= 0:
        return None
    source_above_floor = source.value - floor
    ratio = (others.value - floor_of_others) / source_above_floor
    # First-order around the ratio of the means, which so stays the mean of the seeds' values; a
    # seed near its floor would have a wild ratio of its own.
    values = ratio + (
        others.values - floor_of_others - ratio * (source.values - floor)
    ) / source_above_floor  # fmt: skip
    if (
        source.item_covariance is None
        or others.item_covariance is None
        or gap.item_covariance is None
    ):
        return gap_estimates([Sampled(values, None)])[0]
    shared = (
        source.item_covariance + others.item_covariance - gap.item_covariance
    )  # covariances, both ways round
    items = (
        others.item_covariance + ratio**2 * source.item_covariance - ratio * shared
    ) / source_above_floor**2
    return gap_estimates([Sampled(values, items)])[0]


def budget(cells: ArmCells) -> TrainingBudget:
    """What the arm was trained with; the mean over seeds, where all rows say it."""
    rows = cells.rows.values()

    def common(values: Sequence[int | None]) -> int | None:
        # Seeds that stop early differ in their steps.
        stated = [value for value in values if value is not None]
        return round(fmean(stated)) if len(stated) == len(values) else None

    return TrainingBudget(
        common([row.target_steps for row in rows]),
        common([None if row.training_steps is None else sum(row.training_steps) for row in rows]),
        common([row.examples for row in rows]),
    )


def training_steps(cells: ArmCells) -> dict[str, int] | None:
    """Every training behind the arm's weights with its steps, where all rows say them."""
    steps: dict[str, int] = {}
    for row in cells.rows.values():
        if row.training_steps is None:
            return None
        steps |= zip(row.trainings, row.training_steps, strict=True)
    return steps


def _floors(cells: ArmCells) -> dict[str, float]:
    return {
        code: fmean(learning.floor_of(cells.rows[seed, code]) for seed in cells.seeds)
        for code in cells.languages
    }


def _task_gap(
    arm: ArmItems,
    quantities: Mapping[Quantity, Sampled],
    floors: Mapping[str, float],
    floor_of_others: float,
) -> TaskGap:
    cells, row = arm.cells, arm.cells.any_row
    estimates = estimates_of(quantities)
    learning_check = learning.check(arm, quantities.get("source"))
    scores, at_floor = _scores(arm, floors)
    families, scripts, pretraining = breakdowns(arm)
    trained = {
        code for row_of_cell in cells.rows.values() for code in row_of_cell.trained_languages
    }
    return TaskGap(
        *cells.arm,
        cells.task,
        metric=row.metric,
        provenance=row.provenance,
        protocol=row.protocol,
        seeds=cells.seeds,
        source_language=cells.source_language,
        languages=cells.others,
        source=estimates.get("source"),
        others=estimates.get("others"),
        gap=estimates.get("gap"),
        retention=retention(quantities, learning_check.floor or 0.0, floor_of_others)
        if learning_check.status not in ("not learnt", "unknown")
        else None,
        learning=learning_check,
        zero_shot=not trained & set(cells.others),
        trained_languages=tuple(sorted(trained & set(cells.others))),
        floors=floors,
        at_floor=at_floor,
        worst=min(cells.others, key=lambda code: scores[code].value, default=None),
        families=families,
        scripts=scripts,
        pretraining=pretraining,
        budget=budget(cells),
        by_seed=_by_seed(cells, quantities),
        undefined=why_no_gap(cells),
        covers=next(iter(quantities.values())).covers,
        scores=scores,
        absent=cells.absent,
        notes=(*cells.notes, *arm.notes),
    )


def why_no_gap(cells: ArmCells, languages: Sequence[str] | None = None) -> str | None:
    """Why there is no gap over these languages, all of the arm's unless said."""
    source = cells.source_language
    scored_languages = cells.languages if languages is None else languages
    if source is None:
        return "no test set in the source language"
    if source not in scored_languages:
        return f"no score in {name_of(source)}: {cells.absent.get(source, 'not in the rows')}"
    return f"no language beside {name_of(source)}" if len(scored_languages) == 1 else None


def _by_seed(cells: ArmCells, quantities: Mapping[Quantity, Sampled]) -> dict[Seed, Levels]:
    columns = [
        quantities[name].values.tolist() if name in quantities else [None] * len(cells.seeds)
        for name in QUANTITIES
    ]
    return {seed: Levels(*numbers) for seed, *numbers in zip(cells.seeds, *columns, strict=True)}


def _scores(
    arm: ArmItems, floors: Mapping[str, float]
) -> tuple[dict[str, Estimate], tuple[str, ...]]:
    """Each language's score with Wilson's interval; the other languages that are at their floor."""
    languages = arm.cells.languages
    values = arm.scores.mean(axis=0)
    covariances = arm.covariances if arm.influences else None
    spread = spread_of_means(arm.scores.T, covariances)
    count = arm.counts(languages)
    limits = wilson(values, spread)
    estimates = as_estimates(values, limits, spread, None)
    item_variances = None if covariances is None else np.trace(covariances, axis1=1, axis2=2)
    passed = learning.above_floor(
        values,
        np.array([floors[code] for code in languages]),
        count,
        None if item_variances is None else item_variances / len(arm.cells.seeds),
        right_or_wrong=arm.right_or_wrong,
    )
    at_floor = [
        code
        for code, is_above in zip(languages, passed.tolist(), strict=True)
        if not is_above and code != arm.cells.source_language
    ]
    return dict(zip(languages, estimates, strict=True)), tuple(at_floor)
