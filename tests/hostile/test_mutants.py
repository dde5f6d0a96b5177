"""A few of the mutated inputs that `make attack` tries by the thousand."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.hostile.mutants import attack, mutated


def test_mutated_inputs_end_with_a_message(tmp_path: Path) -> None:
    report = attack(tmp_path, 40, Random(5))
    assert report.tried == 40
    assert not report.faults, report.faults


def test_a_mutant_is_another_input() -> None:
    random = Random(3)
    assert sum(mutated(b"name: x\nmodels: [a, b]\n", random) == b"name: x\nmodels: [a, b]\n"
               for _ in range(200)) < 40  # fmt: skip
