"""Trackers: the real packages write local files, and none of them can stop a run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.cli.project import Project, fresh
from tests.trackers.curves import LOSSES
from xharness import Board, ScoreRow
from xharness.gaps import Estimate, TaskGap
from xharness_trackers.series import arm_metrics, file_name, flat

_PLUGIN = str(Path(__file__).parent / "curves.py")


@pytest.fixture
def curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A study with a loss to show, in an environment that names no server."""
    for name in ("MLFLOW_TRACKING_URI", "TENSORBOARD_LOGGING_DIR", "WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")  # a run with --offline sets them for the whole process
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "wandb-config"))
    project = fresh(tmp_path)
    project.study["models"] = [{"name": "curve", "backend": "curve"}]
    return project.write()


def _run(project: Project, *words: str) -> Any:
    return project.run("--plugin", _PLUGIN, *words)


def _scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of every scalar in a folder of event files."""
    from tensorboard.backend.event_processing import event_accumulator

    events = event_accumulator.EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_tensorboard_shows_the_curve_and_the_results(curves: Project) -> None:
    pytest.importorskip("tensorboard", reason="TensorBoard is not installed")
    result = _run(curves, "--trackers", "tensorboard")
    assert result.exit_code == 0 and "warning" not in result.stderr
    board = curves.folder / "tensorboard"
    (training,) = [path for path in board.iterdir() if "train" in path.name]
    scalars = _scalars(training)
    assert scalars["train/loss"] == list(enumerate(LOSSES, 1))
    assert [step for step, _ in scalars["train/learning_rate"]] == [1, 2, 3]
    results = _scalars(board / "curve-single")
    assert {"score/mood/accuracy/sw", "gap/mood", "source/mood", "others/mood"} <= {*results}


def test_mlflow_writes_files_where_no_server_is_named(curves: Project) -> None:
    tracking = pytest.importorskip("mlflow.tracking", reason="MLflow is not installed")
    result = _run(curves, "--trackers", "mlflow", "--offline")
    assert result.exit_code == 0 and "warning" not in result.stderr
    client = tracking.MlflowClient((curves.folder / "mlruns").resolve().as_uri())
    experiment = client.get_experiment_by_name("small")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert all(run.info.status == "FINISHED" for run in runs.values())
    assert runs["study"].data.params["targets"] == "[{'task': 'mood'}]"
    (training,) = [run for name, run in runs.items() if "train" in name]
    assert training.data.tags["mlflow.parentRunId"] == runs["study"].info.run_id
    history = client.get_metric_history(training.info.run_id, "train/loss")
    assert [(metric.step, metric.value) for metric in history] == list(enumerate(LOSSES, 1))
    assert "gap/mood" in runs["curve single"].data.metrics


@pytest.mark.slow
def test_wandb_writes_files_when_offline(curves: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb", reason="Weights & Biases is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    result = _run(curves, "--trackers", "wandb")
    # Its service writes on after a run is finished, and is waited for when a process ends.
    wandb.teardown()
    assert result.exit_code == 0 and "warning" not in result.stderr
    stored = [path.read_bytes() for path in curves.folder.glob("wandb/offline-run-*/*.wandb")]
    assert len(stored) == 3  # the study, one training, one arm
    assert any(b"train/loss" in content for content in stored)
    assert any(b"score/mood/accuracy/sw" in content for content in stored)


def test_wandb_without_a_key_names_the_variable_and_the_run_goes_on(curves: Project) -> None:
    pytest.importorskip("wandb", reason="Weights & Biases is not installed")
    result = _run(curves, "--trackers", "wandb")
    assert result.exit_code == 0
    assert "tracker 'wandb' is left out" in result.stderr and "WANDB_API_KEY" in result.stderr


def test_a_tracker_that_fails_is_told_once_and_the_others_go_on(curves: Project) -> None:
    names = "fails-later,fails-at-once,tensorboard"
    result = _run(curves, "--trackers", names)
    assert result.exit_code == 0
    assert result.stderr.count("tracker 'fails-later' is left out: ConnectionError") == 1
    assert result.stderr.count("tracker 'fails-at-once' is left out: it wants a key") == 1
    assert "set THE_KEY" in result.stderr


def test_trackers_change_no_key_and_no_score(curves: Project) -> None:
    assert _run(curves).exit_code == 0
    scores = curves.scores
    curves.study["runtime"] = {"trackers": ["fails-at-once"]}
    result = _run(curves.write(), "--json")
    assert json.loads(result.stdout)["stages"]["ran"] == 0
    assert curves.scores == scores


def test_a_missing_package_is_named_with_its_extra(
    curves: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mlflow.tracking", None)
    result = _run(curves, "--trackers", "mlflow")
    assert result.exit_code == 0
    assert 'pip install "xharness-eval[mlflow]"' in result.stderr


@pytest.mark.parametrize("by_flag", [True, False])
def test_a_mistyped_tracker_stops_before_anything_runs(curves: Project, by_flag: bool) -> None:
    if not by_flag:
        curves.study["runtime"] = {"trackers": ["tensorbord"]}
    result = _run(curves.write(), *(["--trackers", "tensorbord"] if by_flag else []))
    assert result.exit_code == 2
    assert "there is no tracker 'tensorbord'" in result.stderr
    assert "did you mean 'tensorboard'?" in result.stderr
    assert ("--trackers" if by_flag else "runtime.trackers") in result.stderr
    assert not curves.receipts()


def test_an_arm_has_the_mean_over_its_seeds() -> None:
    row = {"model": "m", "strategy": "s", "task": "t", "task_type": "classification"}
    row |= {"metric": "f1", "language": "sw", "split": "test", "source_language": "en"}
    row |= {"main": True, "n": 5}
    scores = [ScoreRow(**row, seed=seed, value=float(seed)) for seed in (1, 3)]
    gap = TaskGap("m", "s", "t", source=Estimate(9.0), others=Estimate(2.0))
    published = ScoreRow(**row, seed=None, value=50.0, provenance="published")
    board = SimpleNamespace(
        scores=[*scores, published], gaps=SimpleNamespace(tasks=[gap, TaskGap("p", "q", "t")])
    )
    assert arm_metrics(cast(Board, board)) == {
        ("m", "s"): {"score/t/f1/sw": 2.0, "source/t": 9.0, "others/t": 2.0}
    }


def test_parameters_are_flat_texts_and_names_are_files() -> None:
    assert flat({"a": {"b": 1, "c": {"d": [2]}}, "e": None}) == {
        "a.b": "1", "a.c.d": "[2]", "e": "None",
    }  # fmt: skip
    assert file_name("train m: single/x") == "train-m--single-x"
