"""Killed at any point and in any way, the same command ends with the same bytes."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.faults.kills import kill_runs


def test_killed_runs_end_the_same(tmp_path: Path) -> None:
    report = kill_runs(tmp_path, 24, Random(7))
    assert not report.faults, report.faults
    assert len(report.kills) == 4
