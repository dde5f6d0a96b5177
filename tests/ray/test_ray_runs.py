"""Runs under `--executor ray`: the bytes of one process, whatever befalls the workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.project import Project, fresh
from xharness.session.opened_study import DEMO

pytest.importorskip("ray", reason="the extra 'ray' is not installed")
pytestmark = pytest.mark.slow

PLUGIN = str(Path(__file__).with_name("frail.py"))
RESULTS = ("scores.jsonl", "evidence.parquet", "leaderboard.json", "leaderboard.md")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = fresh(tmp_path)
    project.study["runtime"] = {"executor": {"name": "ray", "workers": 2}}
    return project


def _with_models(project: Project, *models: dict[str, Any]) -> Project:
    project.study["models"] = [
        {"name": f"m{number}", "backend": "frail", "variant": number, **model}
        for number, model in enumerate(models)
    ]
    return project.write()


def run_study(project: Project, name: str, *words: str) -> tuple[int, dict[str, Any], str]:
    """A run with a store and results of its own name: exit code, its JSON, standard error."""
    options = ["--plugin", PLUGIN, "--store", f"{name}-store", "-o", name, "--json"]
    code, out, err = project.call(*project.words("run", *options, *words))
    return code, json.loads(out) if out else {}, err


def _same_results(project: Project, name: str, second_name: str) -> None:
    for file in RESULTS:
        paths = (project.folder / folder / file for folder in (name, second_name))
        first, second = (path.read_bytes() for path in paths)
        assert first == second, file


def _failures(values: dict[str, Any]) -> dict[str, str]:
    return {row["stage"]: row["reason"].splitlines()[0] for row in values["failed"]}


def test_the_results_are_those_of_one_process_with_failures_among_them(project: Project) -> None:
    project.study["models"] = [
        {"name": "grams", "backend": "ngrams", "bits": 8},
        {"name": "sick", "backend": "frail", "ill": "fails"},
        {"name": "most", "backend": "majority"},
    ]
    project.study["seeds"] = [1, 2]
    project.write()
    code, values, err = run_study(project, "many")
    assert code == 1
    alone_code, sequential_output, _ = run_study(project, "alone", "--executor", "sequential")
    assert (alone_code, sequential_output["stages"]) == (code, values["stages"])
    assert _failures(values) == _failures(sequential_output)
    assert "Ray on this machine: 2 workers, each with 1 cores" in err
    _same_results(project, "many", "alone")
    logs = project.folder.glob("many-store/*/*.log")
    assert any(log.read_text().startswith("pid ") for log in logs), "what a stage prints is lost"
    assert "pid" not in err


def test_workers_that_die_or_hang_are_replaced_and_their_stages_tried_again(
    project: Project,
) -> None:
    project.study["runtime"]["executor"]["hang_seconds"] = 3
    _with_models(project, {"ill": "dies"}, {"ill": "hangs"}, {"ill": "dies", "attempts": 9})
    code, values, err = run_study(project, "many")
    assert code == 1
    assert values["stages"] == {"ran": 6, "reused": 0, "failed": 1, "skipped": 2}
    (failure,) = values["failed"]
    assert failure["stage"].startswith("m2 · train mood")
    assert failure["reason"].startswith("lost 2 times with its worker: ActorDiedError")
    assert failure["reason"] in Path(project.folder, failure["log"]).read_text()
    assert "m0 · train mood · seed 1 is tried again: ActorDiedError" in err
    assert "m1 · train mood · seed 1 is tried again: no progress for" in err
    assert "(raylet)" not in err


def when(folder: Path, pattern: str, process: subprocess.Popen[str], count: int = 1) -> list[Path]:
    """The files of this pattern, once there are `count` of them while the process runs."""
    deadline = time.monotonic() + 90
    while len(files := [*folder.glob(pattern)]) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, f"no {pattern} in {folder}"
        time.sleep(0.05)
    return files


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def _eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not condition():
        time.sleep(0.1)
    return condition()


def _stopped(project: Project, words: list[str], stop_signal: signal.Signals) -> tuple[int, str]:
    """A run that is sent a signal while a worker trains: exit code and standard error."""
    for path in project.folder.glob("many-store/*/*/unfinished/checkpoint/pid"):
        path.unlink()
    process = project.start(*words)
    (path, *_) = when(project.folder / "many-store", "*/*/unfinished/checkpoint/pid", process)
    pid = int(path.read_text())
    process.send_signal(stop_signal)
    began = time.monotonic()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert _eventually(lambda: _gone(pid), 10)
    return process.returncode, err


def test_a_driver_that_is_stopped_leaves_a_store_to_go_on_from(project: Project) -> None:
    _with_models(project, {"seconds": 3}, {"seconds": 3}, {"seconds": 0})
    words = project.words("run", "--plugin", PLUGIN, "--store", "many-store", "-o", "many")
    code, err = _stopped(project, words, signal.SIGTERM)
    assert code == 130
    assert "the state is saved, the same command goes on" in err
    assert "Traceback" not in err
    assert _stopped(project, words, signal.SIGKILL)[0] == -signal.SIGKILL
    stored = len([*project.folder.glob("many-store/*/*/receipt*.json")])
    code, values, _ = run_study(project, "many")
    assert code == 0
    assert values["stages"]["ran"] == 9 - stored
    run_study(project, "alone", "--executor", "sequential")
    _same_results(project, "many", "alone")


def test_the_demo_has_the_bytes_of_one_process(project: Project) -> None:
    demo = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    demo["seeds"] = [1]
    demo["recipe"] |= {"steps": 4, "tasks": {}}
    demo["models"] = demo["models"][:1]
    demo["models"][0]["pretrain"]["recipe"]["steps"] = 4
    demo["runtime"] = project.study["runtime"]
    project.study.clear()
    project.study |= demo
    project.write()
    assert run_study(project, "many", "--limit", "24")[0] == 0
    assert run_study(project, "alone", "--limit", "24", "--executor", "sequential")[0] == 0
    _same_results(project, "many", "alone")
    predictions = sorted((project.folder / "alone-store").glob("*/*/predictions/*.parquet"))
    assert predictions
    for path in predictions:
        twin = project.folder / "many-store" / path.relative_to(project.folder / "alone-store")
        assert path.read_bytes() == twin.read_bytes(), path
