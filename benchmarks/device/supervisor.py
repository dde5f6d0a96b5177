"""Starts the process that runs the contests, and another where a contestant ended or hung it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.device import report as reports
from benchmarks.measurement import LIGHT

_REPOSITORY = Path(__file__).parents[2]
_HUNG = 150.0
"""Seconds after which a contestant counts as hung."""
_STARTING = 30.0
"""Seconds that must be left for another process to be worth its start."""
_GRACE = 60.0
"""Seconds after the deadline in which what is running may end."""


def supervise(options: argparse.Namespace) -> int:
    """Run all contests on the device; 1 where a contestant of ours failed."""
    path = options.json.resolve()
    path.unlink(missing_ok=True)
    words = json.dumps(_run_options(options), default=str)
    deadline = time.time() + 60 * options.minutes
    while True:
        finished = len(reports.read(path)["rows"])
        returncode = _run(words, path, deadline)
        _note_interrupted(path, returncode)
        stuck = len(reports.read(path)["rows"]) == finished
        if returncode == 0 or stuck or time.time() + _STARTING > deadline:
            break
    report = reports.read(path)
    report["seconds"] = round(60 * options.minutes - (deadline - time.time()), 1)
    reports.write(path, report)
    reports.show(report)
    return int(returncode != 0 or any(_failed(row) for row in report["rows"]))


def _run_options(options: argparse.Namespace) -> dict[str, Any]:
    tiny = options.tiny
    on_card = options.device.startswith("cuda")
    return {
        "device": "cuda:0" if options.device == "cuda" else options.device,
        "shapes": ["tiny"] if tiny else options.shape or ["me5-small"],
        "tiny": tiny,
        "contests": options.contests,
        "only": options.only,
        "data_root": options.data_root.resolve(),
        "model": options.model and options.model.resolve(),
        "decoder": options.decoder and options.decoder.resolve(),
        "tokenizer": options.tokenizer and options.tokenizer.resolve(),
        "precision": options.precision or ("bf16" if on_card else "fp32"),
        "scale": LIGHT if options.light else options.scale,
        "json": options.json.resolve(),
        "deadline": time.time() + 60 * options.minutes,
    }


def _run(words: str, path: Path, deadline: float) -> int:
    """The return code of one process; it is ended where it hangs."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_REPOSITORY), *_paths()])}
    command = [sys.executable, "-m", "benchmarks.device.runner", words]
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None:
            time.sleep(0.5)
            running = reports.read(path)["running"]
            hung = running is not None and time.time() - running[3] > _HUNG
            if hung or time.time() > deadline + _GRACE:
                process.kill()
    return process.returncode


def _paths() -> list[str]:
    return [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _note_interrupted(path: Path, returncode: int) -> None:
    """Give what was running when the process ended a row, so that it is not tried again."""
    report = reports.read(path)
    if report["running"] is None:
        return
    from benchmarks.device.contests import CONTESTS

    shape, name, contestant, _ = report["running"]
    reason = f"its process ended with {returncode}"
    report["rows"].append(reports.error_row(shape, name, contestant, CONTESTS[name], reason))
    report["running"] = None
    reports.write(path, report)


def _failed(row: dict[str, Any]) -> bool:
    return row["contestant"] == "xharness" and bool(row["error"]) and "no time" not in row["error"]
