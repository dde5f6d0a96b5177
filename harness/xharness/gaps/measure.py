"""From score rows and evidence to gaps, changes and averages, each with its interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from xharness.gaps import averages, parts
from xharness.gaps.averages import Found
from xharness.gaps.cells import Cells, arrange
from xharness.gaps.curves import Curves, curves, difference, whole
from xharness.gaps.evidence import Evidence
from xharness.gaps.paired import tests
from xharness.gaps.ranks import ranks
from xharness.gaps.samples import Metrics, Sample, sample
from xharness.gaps.scores import Missing, Score
from xharness.gaps.trend import sizes, trends
from xharness.gaps.values import Arm, Change, Estimate, Gaps, TaskGap, Test

NEAR_CHANCE = 5.0  # points above chance below which a score counts as near it


def measure(
    rows: Iterable[Score | Missing],
    evidence: Evidence,
    metrics: Metrics,
    *,
    baseline: str = "single",
    references: Mapping[str, str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Gaps:
    """Gap of every arm on every task, its change against the strategy `baseline`, averages, trends.

    `metrics` maps a kind's name to its metrics; `references` a task without a test set in the
    source language to another one whose source-language score stands in. Rows whose items are not
    in `evidence` get intervals over seeds alone, or none. Equal arguments give equal results on
    any machine.

    Raises:
        ConfigurationError: two rows for one cell, evidence that contradicts its row, or a metric
            that is unknown here.
    """
    known = list(rows)
    found: list[Found] = []
    for cells in arrange(known, references).values():
        samples = sample(cells, evidence, metrics, resamples, seed)
        found += _ranked([_find(one, _base(one, samples, baseline), baseline) for one in samples])
    pools = averages.pools(found, baseline)
    means, changes = averages.average(found, pools, baseline)
    return Gaps(
        baseline=baseline,
        resamples=resamples,
        seed=seed,
        tasks=tuple(one.gap for one in found),
        changes=tuple(one.change for one in found if one.change is not None),
        averages=means,
        average_changes=changes,
        pools=pools,
        trends=trends(found, pools, sizes(known), baseline),
    )


def _base(arm: Sample, samples: Sequence[Sample], baseline: str) -> Sample | None:
    """The sample that an arm is compared with: the same model under the baseline strategy."""
    wanted = (arm.cells.model, baseline)
    return next((one for one in samples if (one.cells.model, one.cells.strategy) == wanted), None)


def _find(sample: Sample, base: Sample | None, baseline: str) -> Found:
    own = curves(sample, whole(sample))
    gap = _task_gap(sample, own)
    if sample.cells.strategy == baseline:
        return Found(gap, own.light)
    if base is None:
        changed = Curves(undefined=f"there is no '{baseline}' to compare with")
        return Found(gap, own.light, _change(gap, changed, baseline, {}), changed)
    changed = difference(sample, base)
    change = _change(gap, changed, baseline, tests(sample, base, changed))
    by_language = {one: float(curve[0].mean()) for one, curve in changed.languages.items()}
    return Found(gap, own.light, change, changed.light, by_language)


def _ranked(found: Sequence[Found]) -> list[Found]:
    """The arms of one task with their places among those scored alike."""
    groups: dict[object, dict[Arm, Curves]] = defaultdict(dict)
    for one in found:
        gap = one.gap
        alike = (gap.provenance, gap.protocol, gap.metric, gap.source_language, gap.languages)
        groups[alike][gap.arm] = one.curves
    places = {arm: place for arms in groups.values() for arm, place in ranks(arms).items()}
    return [replace(one, gap=replace(one.gap, ranks=places.get(one.gap.arm, {}))) for one in found]


def _task_gap(sample: Sample, own: Curves) -> TaskGap:
    cells = sample.cells
    if cells.problem is not None:
        return TaskGap(
            cells.model, cells.strategy, cells.task,
            undefined=cells.problem, absent=cells.absent, notes=cells.notes,
        )  # fmt: skip
    first, source, mean = cells.any_row, own.score(own.source), own.score(own.mean)
    near = _near(source or mean, first.chance)
    return TaskGap(
        cells.model,
        cells.strategy,
        cells.task,
        metric=first.metric,
        provenance=first.provenance,
        protocol=first.protocol,
        seeds=own.seeds,
        source_language=cells.source_language,
        languages=cells.others,
        source=source,
        mean=mean,
        gap=own.estimate(own.gap),
        relative=None if near else own.ratio(own.gap, own.source),
        retention=None if near else _retention(own, first.chance),
        chance=first.chance,
        near_chance=near,
        worst=_worst(cells, own),
        families=parts.families(cells, own),
        scripts=parts.scripts(cells, own),
        pretraining=parts.pretraining(cells, own),
        undefined=own.undefined,
        over=own.over,
        scores={one: score for one, curve in own.languages.items() if (score := own.score(curve))},
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
    """(mean - chance) / (source - chance); None where a resample of the source is at chance."""
    if own.source is None or own.mean is None or chance is None:
        return None
    return own.ratio(own.mean - chance, own.source - chance)


def _worst(cells: Cells, own: Curves) -> str | None:
    found = {one: float(np.mean(own.languages[one][0])) for one in cells.others}
    return min(found, key=lambda one: found[one], default=None)


def _change(gap: TaskGap, changed: Curves, baseline: str, tests: Mapping[str, Test]) -> Change:
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
        tests=tests,
        undefined=changed.undefined,
        over=changed.over,
        notes=changed.notes,
    )
