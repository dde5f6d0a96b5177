"""Transfer gaps: what a model loses between the source language and the others, and how sure.

measure(rows, evidence, metrics)   gaps, changes against the baseline, averages, words, size trends
rounded(value)                     the one way in which their numbers are rounded
evidence.write / evidence.read     the per-item statistics that intervals are computed from
"""

from xharness.gaps.evidence import Evidence, Items
from xharness.gaps.influences import Metrics
from xharness.gaps.measure import measure
from xharness.gaps.rounding import detectable_text, rounded, slope_text, steady
from xharness.gaps.values import (
    ArmName,
    Average,
    Breakdown,
    Change,
    Detectable,
    Estimate,
    FamilySlope,
    Gaps,
    Headline,
    LanguageTest,
    LearningCheck,
    Levels,
    Point,
    Quantity,
    TaskGap,
    TaskPool,
    TestCounts,
    TrainingBudget,
    Trend,
)
from xharness.gaps.verdicts import Verdict

__all__ = [
    "ArmName",
    "Average",
    "Breakdown",
    "Change",
    "Detectable",
    "Estimate",
    "Evidence",
    "FamilySlope",
    "Gaps",
    "Headline",
    "Items",
    "LanguageTest",
    "LearningCheck",
    "Levels",
    "Metrics",
    "Point",
    "Quantity",
    "TaskGap",
    "TaskPool",
    "TestCounts",
    "TrainingBudget",
    "Trend",
    "Verdict",
    "detectable_text",
    "measure",
    "rounded",
    "slope_text",
    "steady",
]  # fmt: skip
