"""Carries out a plan: each stage is reused, or performed and committed."""

from __future__ import annotations

from xharness.executor.evidence import collect_items
from xharness.executor.outcome import Outcome, Report
from xharness.executor.results import collect
from xharness.executor.sequential import Sequential
from xharness.executor.work import Work

__all__ = ["Outcome", "Report", "Sequential", "Work", "collect", "collect_items"]
