"""The long attack, `make attack`: kills, flipped bits, mutated inputs and disks that refuse.

The last lines are the figures. The short versions are in tests/faults and tests/hostile.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from tests.faults.flipping import flip_bits
from tests.faults.kills import kill_runs
from tests.hostile.mutants import attack


class _Report(Protocol):
    faults: list[str]


Attack = Callable[[Path, int, Random], _Report]
ATTACKS: dict[str, tuple[Attack, int]] = {
    "kills": (kill_runs, 1000),
    "flips": (flip_bits, 200),
    "mutants": (attack, 20_000),
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the attacks; 1 where one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    for name, (_, count) in ATTACKS.items():
        parser.add_argument(f"--{name}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(words)
    # A power cut is modelled by what was flushed, so that no disk need be waited for.
    os.fsync = lambda descriptor: None
    lines, faults = [], []
    with tempfile.TemporaryDirectory() as name:
        for attack_name, (run_attack, _) in ATTACKS.items():
            folder = Path(name) / attack_name
            folder.mkdir()
            report = run_attack(folder, getattr(options, attack_name), Random(options.seed))
            faults += report.faults
            lines.append(str(report))
    disks = pytest.main(["-q", "-p", "no:cacheprovider", "tests/faults/test_disks.py"])
    lines.append(
        f"disks that refuse and files that may not be read: {'well' if not disks else 'BAD'}"
    )
    for fault in faults:
        print(fault, file=sys.stderr)
    print("\n".join(lines))
    return 1 if faults or disks else 0


if __name__ == "__main__":
    sys.exit(main())
