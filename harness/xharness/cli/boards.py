"""`xharness leaderboard`: boards again from their scores, and whether committed ones agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from xharness import leaderboard
from xharness.cli import guard
from xharness.gaps import Metrics
from xharness.gaps.suites import Benchmark
from xharness.session.session import open_catalogue


def build(folders: Sequence[Path], extra: Iterable[str]) -> None:
    """Render each folder's board."""
    metrics, benchmarks = _known(extra)
    for folder in folders:
        for path in leaderboard.write(folder, metrics, benchmarks):
            print(path)


def check(folders: Sequence[Path], extra: Iterable[str]) -> int:
    """Compare each folder's board with a fresh one; 1 where one differs."""
    metrics, benchmarks = _known(extra)
    different = False
    for folder in folders:
        told = leaderboard.check(folder, metrics, benchmarks)
        different |= bool(told)
        print("\n".join(told) if told else f"{folder}: as its scores say")
    return guard.FAILED if different else 0


def _known(extra: Iterable[str]) -> tuple[Metrics, tuple[Benchmark, ...]]:
    """What boards are made with, beside their own files."""
    catalogue = open_catalogue(extra)
    return leaderboard.metrics_of(catalogue), leaderboard.benchmarks_of(catalogue)
