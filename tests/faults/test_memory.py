"""The memory of predicting and scoring does not hang on how many items there are.

What remains is stated in docs/reliability.md: the ids' digests, and the statistics.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.cli.project import fresh
from tests.conftest import REPOSITORY
from tests.faults.memory import traced_peaks
from xharness.data import examples, item_ids
from xharness.gaps import Items, evidence
from xharness.store import tables

BYTES = {"predict": 48, "score": 96}
"""What an item may add, at most; as objects of Python it would be five hundred."""


def test_memory_is_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((examples, "MOST_HELD"), (item_ids, "_MOST_NEW"), (tables, "_ROWS")):
        monkeypatch.setattr(module, name, 500)
    peaks = []
    for count in (10, 2_000, 8_000):  # the first imports what the others need
        (tmp_path / str(count)).mkdir()
        peaks.append(traced_peaks(tmp_path / str(count), count))
    growth = {stage: (peaks[2][stage] - peak) / 6_000 for stage, peak in peaks[1].items()}
    assert growth.keys() == BYTES.keys()
    assert all(growth[stage] < most for stage, most in BYTES.items()), growth


def test_the_ids_of_the_same_items_are_held_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence_items: list[Items] = []
    write = evidence.write

    def noting(path: Path, items: Iterable[Items]) -> None:
        evidence_items.extend(items)
        write(path, evidence_items)

    monkeypatch.setattr(evidence, "write", noting)
    assert fresh(tmp_path).run("--offline").exit_code == 0
    assert len(evidence_items) == 6, "two models in three languages"
    assert len({id(items.ids) for items in evidence_items}) == 1


@pytest.mark.thorough
def test_memory_is_flat_in_a_process_of_its_own() -> None:
    peaks = []
    for count in (100_000, 300_000):
        command = [sys.executable, "-m", "tests.faults.memory", str(count)]
        output = subprocess.check_output(command, cwd=REPOSITORY, text=True)
        peaks.append(json.loads(output))
    growth = {stage: (peaks[1][stage] - peak) / 200_000 for stage, peak in peaks[0].items()}
    assert all(growth[stage] < 2 * most for stage, most in BYTES.items()), growth
