"""The long attack, `make attack`: kills, flipped bits, mutated inputs and disks that refuse.

The last lines are the figures. The short versions are in tests/faults and tests/hostile.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.attack.pieces import COUNTS, Progress, Worker, pieces


def main(words: Sequence[str] | None = None) -> int:
    """Run the attacks; 1 where one of them found something."""
    options = _options(words)
    # A power cut is modelled by what was flushed, so that no disk need be waited for.
    os.fsync = lambda descriptor: None
    socket.socket.connect = _refuse_connection  # type: ignore[method-assign]
    counts = {name: getattr(options, name) for name in COUNTS}
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(_scratch()))
        progress = Progress(folder, options.seed)
        left = [piece for piece in pieces(counts, options.seed) if piece not in progress.done]
        worker = Worker(folder)
        if any(piece.attack == "mutants" for piece in left):
            worker.prepare()
        # Forked, so that each worker has the scenes and what reads them without a wait.
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            for piece, report in pool.imap_unordered(worker, left):
                progress.add(piece, report)
                print(f"{piece}: {report}", file=sys.stderr, flush=True)
    return _tell(progress)


def _tell(progress: Progress) -> int:
    disks = pytest.main(["-q", "-p", "no:cacheprovider", "tests/faults/test_disks.py"])
    for fault in progress.faults:
        print(fault, file=sys.stderr)
    for line in progress.lines():
        print(line)
    print(f"disks that refuse and files that may not be read: {'BAD' if disks else 'well'}")
    return 1 if progress.faults or disks else 0


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    for name, count in COUNTS.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"default: {count}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--folder", type=Path, help="where to go on from; default: begin anew")
    return parser.parse_args(words)


def _scratch() -> Any:
    """A folder in memory, where there is one: a run writes some hundred files."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None)


def _refuse_connection(*arguments: object) -> None:
    raise AssertionError(f"a connection was opened: {arguments[1:]}")


if __name__ == "__main__":
    sys.exit(main())
