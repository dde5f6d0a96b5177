"""How many stages at a time a device carries: `python -m benchmarks.sharing --device cuda`.

A study of short trainings of the backbone of multilingual-e5-small (12 layers of 384, from
scratch, on the built-in miniatures), one after the other and by 1, 2, 4 and 8 at a time on one
device, with captured steps and without: workers of `--executor ray`, or with `--by processes` as
many `xharness run` on one store. Prints a JSON line with the seconds of each.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from xharness_hf.speed.switches import VARIABLE

BACKBONE: dict[str, Any] = {
    "architecture": "bert", "hidden": 384, "intermediate": 1536, "num_layers": 12, "heads": 12,
    "tokenizer": {"vocabulary": 4500},
}  # fmt: skip


def main() -> None:
    """Measure the loop alone, then each number of workers; then all without captured steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--workers", default="1,2,4,8", help="how many at a time")
    parser.add_argument("--by", choices=("ray", "processes"), default="ray")
    parser.add_argument("--trainings", type=int, default=16)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    arguments = parser.parse_args()
    counts = [0, *map(int, arguments.workers.split(","))]
    for switches_off in ("", "graphs") if arguments.device == "cuda" else ("",):
        for workers in counts:
            seconds = timed(arguments, workers, switches_off)
            line = {"workers": workers, "without": switches_off, "seconds": round(seconds, 1)}
            print(json.dumps(line), flush=True)


def timed(arguments: argparse.Namespace, workers: int, switches_off: str) -> float:
    """Seconds of the whole command, start and board included; no workers are the loop alone."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "study.yaml"
        path.write_text(yaml.safe_dump(study(arguments, workers)), encoding="utf-8")
        command = [sys.executable, "-m", "xharness", "run", str(path), "--store", f"{name}/store"]
        environment = os.environ | {
            VARIABLE: switches_off,
            "OMP_NUM_THREADS": str(arguments.threads),
            "XHARNESS_CACHE": f"{name}/cache",
        }
        count = max(workers, 1) if arguments.by == "processes" else 1
        start = time.monotonic()
        running = [
            subprocess.Popen(
                [*command, "--output", f"{name}/results-{number}", "--quiet"], env=environment
            )
            for number in range(count)
        ]
        exit_codes = [process.wait() for process in running]
        if any(exit_codes):
            sys.exit(f"{' '.join(command)}: failed")
        return time.monotonic() - start


def study(arguments: argparse.Namespace, workers: int) -> dict[str, Any]:
    """One training a seed, each answered and scored."""
    executor: dict[str, Any] = {"name": "sequential"}
    if workers and arguments.by == "ray":
        share = {"gpus": 1 / workers} if arguments.device == "cuda" else {}
        executor = {"name": "ray", "workers": workers, "cpus": arguments.threads, **share}
    return {
        "name": "sharing",
        "models": [{"name": "small", "scratch": BACKBONE}],
        "strategies": ["single"],
        "targets": [{"task": "mini_topic", "languages": ["en"], "limit": 16}],
        "seeds": list(range(1, arguments.trainings + 1)),
        "recipe": {"steps": arguments.steps, "batch_size": 32, "max_length": 128},
        "runtime": {"device": arguments.device, "executor": executor},
    }


if __name__ == "__main__":
    main()
