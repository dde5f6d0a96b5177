"""Transfer gaps: what a model loses between the source language and the others, and how sure.

measure(rows, evidence, metrics)   gaps, changes against the baseline, averages, size trends
evidence.write / evidence.read     the per-item statistics that intervals are computed from
"""

from xharness.gaps.evidence import Evidence, Items
from xharness.gaps.measure import measure
from xharness.gaps.samples import Metrics
from xharness.gaps.values import (
    Arm,
    Average,
    Change,
    Estimate,
    Gaps,
    Part,
    Point,
    Pool,
    TaskGap,
    Test,
    Trend,
)

__all__ = [
    "Arm", "Average", "Change", "Estimate", "Evidence", "Gaps", "Items", "Metrics", "Part", "Point",
    "Pool", "TaskGap", "Test", "Trend", "measure",
]  # fmt: skip
