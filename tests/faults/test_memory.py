"""The memory of predicting and scoring does not hang on how many items there are.

What remains is stated in docs/reliability.md: the ids' digests, and the statistics.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.faults.memory import traced_peaks
from xharness.data import examples

BYTES = {"predict": 64, "score": 96}
"""What an item may add, at most; as objects of Python it would be five hundred."""


def test_memory_is_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "MOST_HELD", 1000)
    peaks = []
    for count in (6_000, 24_000):
        (tmp_path / str(count)).mkdir()
        peaks.append(traced_peaks(tmp_path / str(count), count))
    growth = {stage: (peaks[1][stage] - peak) / 18_000 for stage, peak in peaks[0].items()}
    assert growth.keys() == BYTES.keys()
    assert all(growth[stage] < most for stage, most in BYTES.items()), growth


@pytest.mark.slow
def test_memory_is_flat_in_a_process_of_its_own() -> None:
    peaks = []
    for count in (100_000, 300_000):
        command = [sys.executable, "-m", "tests.faults.memory", str(count)]
        output = subprocess.check_output(command, cwd=REPOSITORY, text=True)
        peaks.append(json.loads(output))
    growth = {stage: (peaks[1][stage] - peak) / 200_000 for stage, peak in peaks[0].items()}
    assert all(growth[stage] < 2 * most for stage, most in BYTES.items()), growth
