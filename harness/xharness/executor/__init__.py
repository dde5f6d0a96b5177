"""Carries out a plan: each stage is reused, or performed and committed."""

from __future__ import annotations

from xharness.executor.attempt import attempt, reuse
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport, StageOutcome
from xharness.executor.repair import run_and_repair
from xharness.executor.results import collect, collect_items

__all__ = [
    "RunContext",
    "RunReport",
    "StageOutcome",
    "attempt",
    "collect",
    "collect_items",
    "reuse",
    "run_and_repair",
]
