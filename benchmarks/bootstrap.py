"""The bootstrap beside scipy's: `python -m benchmarks.bootstrap [--json FILE]`.

A million score items (arms x seeds x languages x items) with 10,000 resamples: scored rows and
their evidence go into `xharness.gaps.measure`, which draws each language's items once for all arms
and gives gaps, changes, tests and places. `scipy.stats.bootstrap` resamples one score at a time; it
is run on a few of them, and the time for all is scaled up from these.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from xharness.gaps import Evidence, Items, measure
from xharness.gaps.scores import Score
from xharness.task_types.base import Floats, Metric, ratio

MODELS, STRATEGIES = 4, ("single", "multitask", "intermediate")
SEEDS, LANGUAGES, ITEMS = 3, 15, 1852
SAMPLED = 4  # scores that scipy resamples
METRIC = Metric("accuracy", ("correct", "items"), lambda *_: (), ratio, "share of right answers")


def made() -> tuple[list[Score], dict[tuple[str, str], Items]]:
    """Rows and evidence of one task: answers that are right with the language's own chance."""
    chance = np.random.default_rng(0)
    ids = [f"{place:05}" for place in range(ITEMS)]
    rows, evidence = [], {}
    for model, strategy, seed, language in _cells():
        right = (chance.random(ITEMS) < 0.9 - 0.02 * language).astype(float)
        stage, code = f"{model}-{strategy}-{seed}", f"x{chr(97 + language)}"
        evidence[stage, code] = Items.of(stage, code, ids, np.stack([right, np.ones(ITEMS)], 1))
        rows.append(
            Score(
                model=f"m{model}", strategy=strategy, seed=seed, task="task", language=code,
                task_type="classification", source_language="xa", split="test", metric="accuracy",
                main=True, value=100 * right.mean(), n=ITEMS, stage=stage,
            )
        )  # fmt: skip
    return rows, evidence


def ours(rows: list[Score], evidence: Evidence, resamples: int) -> tuple[float, float]:
    """Seconds for everything, and the standard error of the first score's item part."""
    start = time.perf_counter()
    measure(rows, evidence, {"classification": {"accuracy": METRIC}}, resamples=resamples)
    taken = time.perf_counter() - start
    alone = measure(
        rows[:2], evidence, {"classification": {"accuracy": METRIC}}, resamples=resamples
    )
    error = alone.tasks[0].scores["xa"].error
    assert error is not None
    return taken, error


def theirs(evidence: Evidence, resamples: int) -> tuple[float, float]:
    """Seconds for one score, and the standard error of the first."""
    blocks = list(evidence.values())[:SAMPLED]
    start = time.perf_counter()
    found = [_scipy(one.statistics[:, 0], resamples) for one in blocks]
    return (time.perf_counter() - start) / len(blocks), found[0]


def _scipy(right: Floats, resamples: int) -> float:
    told = stats.bootstrap(
        (100 * right,), np.mean, n_resamples=resamples, method="percentile", batch=256,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(told.standard_error)


def _cells() -> Iterator[tuple[int, str, int, int]]:
    for model in range(MODELS):
        for strategy in STRATEGIES:
            for seed in range(SEEDS):
                for language in range(LANGUAGES):
                    yield model, strategy, seed, language


def main() -> None:
    """Print both, and write them where --json says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="file to write the numbers to")
    wished = parser.parse_args()
    rows, evidence = made()
    seconds, error = ours(rows, evidence, wished.resamples)
    each, their_error = theirs(evidence, wished.resamples)
    told: dict[str, Any] = {
        "score items": len(rows) * ITEMS,
        "scores": len(rows),
        "resamples": wished.resamples,
        "cores": os.cpu_count(),
        "xharness: seconds": round(seconds, 2),
        "scipy: seconds for one score": round(each, 3),
        "scipy: seconds for all, scaled up": round(each * len(rows), 1),
        "times faster": round(each * len(rows) / seconds, 1),
        "xharness: standard error of the first score": round(error, 4),
        "scipy: standard error of the first score": round(their_error, 4),
    }
    for name, value in told.items():
        print(f"{name:>45}  {value}")
    if wished.json is not None:
        wished.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
