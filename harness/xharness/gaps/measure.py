"""From score rows and evidence to gaps, changes and averages, each with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from xharness.gaps import averages
from xharness.gaps.bootstrap import estimate
from xharness.gaps.cells import Cells, arrange
from xharness.gaps.curves import Curves, by_language, curves, difference, whole
from xharness.gaps.evidence import Evidence
from xharness.gaps.samples import Metrics, Sample, sample
from xharness.gaps.values import Change, Estimate, Gaps, TaskGap
from xharness.scores import Missing, Score

NEAR_CHANCE = 5.0  # points above chance below which a score counts as near it


def measure(
    rows: Iterable[Score | Missing],
    evidence: Evidence,
    metrics: Metrics,
    *,
    baseline: str = "single",
    resamples: int = 2000,
    seed: int = 0,
) -> Gaps:
    """Gap of every arm on every task, its change against the strategy named `baseline`, averages.

    `metrics` maps a kind's name to its metrics. Rows whose items are not in `evidence` get
    intervals over seeds alone, or none. Equal arguments give equal results on any machine.

    Raises:
        ConfigurationError: two rows for one cell, evidence that contradicts its row, or a metric
            that is unknown here.
    """
    found: list[averages.Found] = []
    for cells in arrange(rows).values():
        samples = sample(cells, evidence, metrics, resamples, seed)
        for one in samples:
            base = _base(one.cells, samples, baseline)
            found.append(_find(one, base, baseline, seed))
    common, left_out = averages.common_tasks([one.gap for one in found])
    means, changes = averages.average(found, common, baseline)
    return Gaps(
        baseline=baseline,
        resamples=resamples,
        seed=seed,
        tasks=tuple(one.gap for one in found),
        changes=tuple(one.change for one in found if one.change is not None),
        averages=means,
        average_changes=changes,
        left_out=left_out,
    )


def _base(cells: Cells, samples: Sequence[Sample], baseline: str) -> Sample | None:
    """The sample that `cells` is compared with: the same model under the baseline strategy."""
    wanted = (cells.model, baseline)
    return next((one for one in samples if (one.cells.model, one.cells.strategy) == wanted), None)


def _find(sample: Sample, base: Sample | None, baseline: str, key: int) -> averages.Found:
    own = curves(sample, whole(sample, key))
    gap = _task_gap(sample, own, key)
    if sample.cells.strategy == baseline:
        return averages.Found(gap, own)
    changed = (
        difference(sample, base, key)
        if base is not None
        else Curves(undefined=f"there is no '{baseline}' to compare with")
    )
    return averages.Found(gap, own, _change(gap, changed, baseline), changed)


def _task_gap(sample: Sample, own: Curves, key: int) -> TaskGap:
    cells = sample.cells
    if cells.problem is not None:
        return TaskGap(
            cells.model, cells.strategy, cells.task,
            undefined=cells.problem, absent=cells.absent, notes=cells.notes,
        )  # fmt: skip
    source, mean = own.estimate(own.source), own.estimate(own.mean)
    chance = cells.any_row.chance
    near = _near(source or mean, chance)
    scores = by_language(sample, whole(sample, key))
    return TaskGap(
        cells.model,
        cells.strategy,
        cells.task,
        metric=cells.any_row.metric,
        seeds=own.seeds,
        source_language=cells.source_language,
        languages=cells.others,
        source=source,
        mean=mean,
        gap=own.estimate(own.gap),
        retention=None if near else _retention(own, chance),
        chance=chance,
        near_chance=near,
        undefined=own.undefined,
        over=own.over,
        scores={one: estimate(curve, interval=bool(own.over)) for one, curve in scores.items()},
        absent=cells.absent,
        notes=(*cells.notes, *sample.notes),
    )


def _near(score: Estimate | None, chance: float | None) -> bool:
    """Whether the score is hardly above a guess, or above zero where a guess has no score."""
    if score is None:
        return False
    floor = chance or 0.0
    reaches = score.low is not None and score.low <= floor
    return reaches or score.value < floor + NEAR_CHANCE


def _retention(own: Curves, chance: float | None) -> Estimate | None:
    """(mean - chance) / (source - chance); a resample at chance retains without bound."""
    if own.source is None or own.mean is None or chance is None:
        return None
    above = own.source - chance
    ratio = np.divide(own.mean - chance, above, out=np.full_like(above, np.inf), where=above > 0)
    retained = own.estimate(ratio)
    return retained if retained is None or np.isfinite(retained.high or 0) else None


def _change(gap: TaskGap, changed: Curves, baseline: str) -> Change:
    return Change(
        gap.model,
        gap.strategy,
        against=baseline,
        task=gap.task,
        tasks=(gap.task,),
        seeds=changed.seeds,
        source=changed.estimate(changed.source),
        mean=changed.estimate(changed.mean),
        gap=changed.estimate(changed.gap),
        undefined=changed.undefined,
        over=changed.over,
        notes=changed.notes,
    )
