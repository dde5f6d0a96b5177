"""Carries out a plan: each stage is reused, or performed and committed."""

from __future__ import annotations

from xharness.executor.attempt import attempt, reuse
from xharness.executor.context import RunContext
from xharness.executor.evidence import collect_items
from xharness.executor.outcome import RunReport, StageOutcome
from xharness.executor.results import collect

__all__ = [
    "RunContext",
    "RunReport",
    "StageOutcome",
    "attempt",
    "collect",
    "collect_items",
    "reuse",
]
