"""Interrupted at any point, the same command goes on to the same numbers."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.project import Project

PLUGIN = str(Path(__file__).with_name("sluggish.py"))
Point = Callable[[Path], bool]


def _in_training(store: Path) -> bool:
    return any(store.glob("*/*/unfinished/checkpoint/state.json"))


def _within_a_language(store: Path) -> bool:
    return any(store.glob("*/*/unfinished/en/*.parquet"))


def _between_languages(store: Path) -> bool:
    return any(store.glob("*/*/predictions/de.parquet"))


def _after_a_model(store: Path) -> bool:
    return len(list(store.glob("*/*/receipt.json"))) >= 3


POINTS = [_in_training, _within_a_language, _between_languages, _after_a_model]


@pytest.fixture
def undisturbed(sluggish: Project) -> str:
    """The scores of a run that nothing disturbs, in a store of its own."""
    result = sluggish.run("--plugin", PLUGIN, "--store", "calm", "--output", "calm-output")
    assert result.exit_code == 0, result.stderr
    return (sluggish.folder / "calm-output" / "scores.jsonl").read_text(encoding="utf-8")


def _stop(project: Project, point: Point, signal_sent: signal.Signals) -> tuple[int, str]:
    """Start the study, send a signal when `point` is reached; exit code and standard error."""
    process = project.start(*project.words("run", "--plugin", PLUGIN), SLUGGISH="0.1")
    deadline = time.monotonic() + 60
    while not point(project.folder / "store") and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal_sent)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def _finish(project: Project) -> str:
    result = project.run("--plugin", PLUGIN)
    assert result.exit_code == 0, result.stderr
    return project.scores


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed(sluggish: Project, undisturbed: str, point: Point) -> None:
    code, _ = _stop(sluggish, point, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not (sluggish.folder / "scores.jsonl").exists()
    assert _finish(sluggish) == undisturbed


def test_training_goes_on_from_its_checkpoint(sluggish: Project) -> None:
    _stop(sluggish, _in_training, signal.SIGKILL)
    _, plan, _ = sluggish.call(*sluggish.words("plan", "--plugin", PLUGIN, "--json"))
    assert [stage["state"] for stage in json.loads(plan)["stages"]][:2] == ["continue", "run"]
    _finish(sluggish)
    receipt = next(
        receipt for label, receipt in sluggish.receipts().items() if "slow · train" in label
    )
    assert receipt["facts"]["training"]["continued_from"] > 0


def test_half_written_files_are_not_kept(sluggish: Project) -> None:
    _, plan, _ = sluggish.call(*sluggish.words("plan", "--plugin", PLUGIN, "--json"))
    key = next(stage["key"] for stage in json.loads(plan)["stages"] if stage["sort"] == "score")
    partial_file = sluggish.folder / "store" / key[:2] / key / "scores.json.7.partial"
    partial_file.parent.mkdir(parents=True)
    partial_file.write_text("{", encoding="utf-8")
    _finish(sluggish)
    assert not partial_file.exists()
    assert not any(
        "partial" in name for receipt in sluggish.receipts().values() for name in receipt["files"]
    )


@pytest.mark.parametrize("signal_sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(sluggish: Project, undisturbed: str, signal_sent: signal.Signals) -> None:
    code, err = _stop(sluggish, _in_training, signal_sent)
    assert code == 130
    assert "the state is saved, the same command goes on" in err
    assert "Traceback" not in err
    assert _finish(sluggish) == undisturbed


def test_two_processes_share_a_store(sluggish: Project, undisturbed: str) -> None:
    processes: list[subprocess.Popen[str]] = [
        sluggish.start(
            *sluggish.words("run", "--plugin", PLUGIN, "--json", "-o", name), SLUGGISH="0.1"
        )
        for name in ("first", "second")
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    for name in ("first", "second"):
        path = sluggish.folder / name / "scores.jsonl"
        assert path.read_text(encoding="utf-8") == undisturbed
    counts = [json.loads(out)["stages"]["ran"] for out, _ in outputs]
    assert sum(counts) == 6
    assert min(counts) >= 2, "one of them waited in place of working on the other model"
