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


def collect_items(plan: Plan, context: RunContext, report: RunReport) -> Iterator[Items]:
    """The statistics of each arm's main metric, for every language that has scores.

    Arms that `report` has a reason against are left out, as `collect` leaves them out.
    """
    for key, score in {arm.score.key: arm.score for arm in plan.arms}.items():
        if context.store.has(key) and report.reason(score) is None:
            yield from _of_stage(score, context)


def _of_stage(score: ScorePredictions, context: RunContext) -> Iterator[Items]:
    catalogue, main = context.catalogue, score.metrics[0]
    task_type = catalogue.task_types[catalogue.card(score.predictions.card).task_type]
    columns = [f"{main}.{name}" for name in task_type.metrics[main].statistics]
    folder = context.store.open(score.key) / "statistics"
    for data_slice in answered(score, context.store.receipt(score.key).facts):
        table = read_table(folder / f"{data_slice.language}.parquet")
        statistics = np.stack([table[name].to_numpy() for name in columns], axis=1)
        yield Items.of(score.key, data_slice.language, table["item"].to_pylist(), statistics)
