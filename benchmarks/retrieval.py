"""A million candidates searched by fifteen thousand queries, beside an exhaustive search.

    python -m benchmarks.retrieval                          # the size of Mewsli-X: minutes
    python -m benchmarks.retrieval --candidates 50000 --queries 500

Candidates are random unit vectors, each query lies near one of them. They are written in blocks, as
a run writes them, so that memory need not hold them. The exhaustive search is numpy in blocks, in
double precision, on a sample of the queries; recall is the share of its answers that ours has too.
A table goes to standard output, the numbers to a JSON file beside this script.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xharness.task_types.neighbours import Matrix, Indices, VectorBlocks, nearest

NOISE = 0.7  # how far a query lies from the candidate it is made from, against the length of 1


@dataclass(frozen=True)
class Outcome:
    """What a search took; `recall` is None where there is nothing to compare with."""

    search: str
    queries: int
    seconds: float
    queries_per_second: float
    peak_mib: float
    recall: float | None


def main() -> None:
    """Make the vectors, search them in both ways, tell."""
    options = _options()
    if options.only:
        _search_in_this_process(options)
        return
    with tempfile.TemporaryDirectory(dir=options.scratch) as name:
        folder = Path(name)
        _make(folder, options)
        ours = _in_own_process("ours", folder, options)
        theirs = _in_own_process("exhaustive", folder, options)
        recall = _recall(np.load(folder / "ours.npy"), np.load(folder / "exhaustive.npy"))
    _tell([Outcome(**ours, recall=recall), Outcome(**theirs, recall=None)], options)


def ours(queries: Matrix, candidates: VectorBlocks, k: int) -> Indices:
    """The harness's own search."""
    return nearest(VectorBlocks([queries]), candidates, k).indices


def exhaustive(queries: Matrix, candidates: VectorBlocks, k: int) -> Indices:
    """Every inner product in double precision; of equal ones the lowest place comes first."""
    scores = np.full((len(queries), k), -np.inf)
    places = np.zeros((len(queries), k), dtype=np.int64)
    exact = queries.astype(np.float64)
    for first, block in candidates.blocks():
        alike = exact @ block.astype(np.float64).T
        where = np.broadcast_to(np.arange(first, first + len(block)), alike.shape)
        scores = np.concatenate([scores, alike], axis=1)
        places = np.concatenate([places, where], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(scores, order, axis=1)
        places = np.take_along_axis(places, order, axis=1)
    return places


SEARCHES: dict[str, Callable[[Matrix, VectorBlocks, int], Indices]] = {
    "ours": ours,
    "exhaustive": exhaustive,
}


def _make(folder: Path, options: argparse.Namespace) -> None:
    random = np.random.default_rng(options.seed)
    near = np.sort(random.choice(options.candidates, options.queries))
    parts = []
    for first in range(0, options.candidates, options.block):
        size = min(options.block, options.candidates - first)
        block = _unit(random.standard_normal((size, options.width), dtype=np.float32))
        np.save(folder / f"block-{first:09d}.npy", block)
        parts.append(block[near[(near >= first) & (near < first + size)] - first])
    noise = random.standard_normal((options.queries, options.width), dtype=np.float32)
    queries = _unit(np.concatenate(parts) + NOISE * _unit(noise))
    np.save(folder / "queries.npy", queries[random.permutation(options.queries)])


def _unit(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def _in_own_process(search: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One search in a process of its own, whose peak memory is then that of the search."""
    sizes = [f"--{name}={getattr(options, name)}" for name in ("k", "sample")]
    command = [sys.executable, "-m", "benchmarks.retrieval", f"--only={search}"]
    command += [f"--scratch={folder}", *sizes]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def _search_in_this_process(options: argparse.Namespace) -> None:
    folder = Path(options.scratch)
    queries = np.load(folder / "queries.npy")
    if options.only == "exhaustive":
        queries = queries[: options.sample]
    candidates = VectorBlocks(sorted(folder.glob("block-*.npy")))
    began = time.perf_counter()
    places = SEARCHES[options.only](queries, candidates, options.k)
    seconds = time.perf_counter() - began
    np.save(folder / f"{options.only}.npy", places)
    told = {
        "search": options.only,
        "queries": len(queries),
        "seconds": round(seconds, 2),
        "queries_per_second": round(len(queries) / seconds, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(told))


def _recall(found: Indices, right: Indices) -> float:
    """The share of the exhaustive answers that were found, for the queries that have both."""
    pairs = zip(found[: len(right)].tolist(), right.tolist(), strict=True)
    return sum(len({*ours} & {*theirs}) for ours, theirs in pairs) / right.size


def _tell(outcomes: Sequence[Outcome], options: argparse.Namespace) -> None:
    print(f"{options.candidates:,} candidates of width {options.width}, {options.k} nearest\n")
    print("| search | queries | seconds | queries/s | peak MiB | recall |")
    print("| :-- | --: | --: | --: | --: | --: |")
    for one in outcomes:
        recall = "" if one.recall is None else f"{one.recall:.6f}"
        print(
            f"| {one.search} | {one.queries:,} | {one.seconds:,.1f} | "
            f"{one.queries_per_second:,.0f} | {one.peak_mib:,.0f} | {recall} |"
        )
    values = {
        "candidates": options.candidates,
        "width": options.width,
        "k": options.k,
        "block": options.block,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "searches": [asdict(one) for one in outcomes],
    }
    target = Path(options.json)
    target.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    print(f"\n{target}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=15_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--block", type=int, default=16_384, help="candidates in a file")
    parser.add_argument("--sample", type=int, default=200, help="queries searched exhaustively")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", help="folder for the vectors; default: the system's own")
    parser.add_argument("--json", default=str(Path(__file__).with_suffix(".json")))
    parser.add_argument("--only", choices=[*SEARCHES], help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
