"""From finished stages to the per-item statistics that intervals are computed from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport
from xharness.executor.score import answered
from xharness.gaps import Items
from xharness.planning.plan import Plan
from xharness.stages import ScorePredictions
from xharness.store.tables import read_table


def collect_items(plan: Plan, work: RunContext, report: RunReport) -> Iterator[Items]:
    """The statistics of each arm's main metric, for every language that has scores.

    Arms that `report` has a reason against are left out, as `collect` leaves them out.
    """
    for key, score in {arm.score.key: arm.score for arm in plan.arms}.items():
        if work.store.has(key) and report.reason(score) is None:
            yield from _of_stage(score, work)


def _of_stage(score: ScorePredictions, work: RunContext) -> Iterator[Items]:
    main = score.metrics[0]
    kind = work.catalogue.task_types[work.catalogue.card(score.predictions.card).task_type]
    columns = [f"{main}.{name}" for name in kind.metrics[main].statistics]
    folder = work.store.open(score.key) / "statistics"
    for portion in answered(score, work.store.receipt(score.key).facts):
        table = read_table(folder / f"{portion.language}.parquet")
        statistics = np.stack([table[name].to_numpy() for name in columns], axis=1)
        yield Items.of(score.key, portion.language, table["item"].to_pylist(), statistics)
