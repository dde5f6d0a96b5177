"""Start-up: what a user waits for before anything is computed."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import partial
from typing import Any

import yaml

from benchmarks.measurement import Clock, Contest, Measurement, Setting

_TARGETS = ("wikiann", "udpos")
_SEED_STAGES = 3 * len(_TARGETS)  # train, predict and score for each target


def _study(setting: Setting, stages: int) -> str:
    """A study of the torch-free floor with at least so many stages."""
    study: dict[str, Any] = {
        "name": "start-up",
        "models": [{"name": "ngrams", "backend": "ngrams"}],
        "strategies": ["single"],
        "targets": [
            {"task": task, "split": "validation", "languages": ["en"], "limit": 8}
            for task in _TARGETS
        ],
        "seeds": list(range(1, -(-stages // _SEED_STAGES) + 1)),
        "train_limit": 8,
        "runtime": {"store": "store"},
    }
    path = setting.work / "study.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return str(path)


def _xharness(setting: Setting, *words: str) -> None:
    command = [sys.executable, "-m", "xharness", *words]
    subprocess.run(command, check=True, capture_output=True, cwd=setting.work)


def print_help(setting: Setting) -> Measurement:
    """`xharness --help`."""
    clock = Clock(resource.RUSAGE_CHILDREN)
    with clock.running():
        _xharness(setting, "--help")
    return clock.measurement(1)


def plan(stages: int, setting: Setting) -> Measurement:
    """`xharness plan` of a study of so many stages, nothing stored."""
    study = _study(setting, stages)
    clock = Clock(resource.RUSAGE_CHILDREN)
    with clock.running():
        _xharness(setting, "plan", study, "--data-root", str(setting.data_root))
    return clock.measurement(stages)


def rerun(stages: int, setting: Setting) -> Measurement:
    """`xharness run` of a study that is finished."""
    study = _study(setting, stages)
    command = ("run", study, "--data-root", str(setting.data_root), "--quiet")
    _xharness(setting, *command)
    clock = Clock(resource.RUSAGE_CHILDREN)
    with clock.running():
        _xharness(setting, *command)
    return clock.measurement(stages)


CONTESTS = {
    "start --help": Contest("starts/s", {"xharness": print_help}),
    "plan 10,000 stages": Contest("stages/s", {"xharness": partial(plan, 10_000)}),
    "run 1,000 finished stages": Contest("stages/s", {"xharness": partial(rerun, 1_000)}, rounds=1),
}
