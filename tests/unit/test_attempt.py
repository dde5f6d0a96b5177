"""One stage carried out: what a backend does to its process ends that stage alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from tests.toy import CountingModel
from tests.unit.test_executor import _run, cards
from xharness.executor import attempt
from xharness.executor.attempt import PERFORMERS
from xharness.gaps.scores import MissingRow, ScoreRow, read, write
from xharness.plugin.api import UnavailableError
from xharness.stages import Stage, Train

__all__ = ["cards"]

ONE = {"targets": ["red"], "strategies": ["single"]}


class OddExit(BaseException):
    """Ends a process that does not look for it."""


@pytest.mark.parametrize(
    "error",
    [SystemExit(0), SystemExit(7), StopIteration("all read"), GeneratorExit(), OddExit("x")],
)
@pytest.mark.parametrize("method", ["fit", "predict", "save"])
def test_whatever_a_backend_raises_ends_its_stage_alone(
    cards: Path, monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException
) -> None:
    honest = getattr(CountingModel, method)

    def failing(self: CountingModel, *arguments: Any) -> Any:
        if self.learnt == ["red"] or (method == "fit" and arguments[0][0].card.name == "red"):
            raise error
        return honest(self, *arguments)

    monkeypatch.setattr(CountingModel, method, failing)
    *_, report, rows = _run(cards, strategies=["single"])
    assert report.exit_code == 1
    (failure,) = report.failed
    assert type(error).__name__ in str(failure.reason)
    assert failure.log is not None and "Traceback" in failure.log.read_text()
    assert {row.task for row in rows if isinstance(row, MissingRow)} == {"red"}
    assert {row.task for row in rows if isinstance(row, ScoreRow)} == {"green"}


def test_an_interrupt_is_passed_on(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CountingModel, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _run(cards, **ONE)


def test_missing_data_and_a_failure_together_are_a_failure(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(self: CountingModel, feeds: Any, *_: object) -> Any:
        raise (UnavailableError if feeds[0].card.name == "red" else ValueError)("gone")

    monkeypatch.setattr(CountingModel, "fit", fit)
    *_, report, _ = _run(cards, strategies=["single"])
    assert sorted(outcome.exit_code for outcome in report.failed) == [1, 3]
    assert report.exit_code == 1


def test_a_backend_that_changes_the_working_directory_moves_nothing(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    honest = CountingModel.save

    def save(self: CountingModel, folder: Path) -> None:
        os.chdir(other)
        honest(self, folder)

    monkeypatch.setattr(CountingModel, "save", save)
    monkeypatch.chdir(tmp_path)
    *_, report, rows = _run(Path("cards"), **ONE)
    assert not report.failed, report.failed
    assert all(isinstance(row, ScoreRow) for row in rows)
    assert Path.cwd() == tmp_path
    assert not [*other.iterdir()]


def test_half_characters_in_an_error_are_spelt_out(
    cards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no file 'caf\udce9.txt'")

    monkeypatch.setattr(CountingModel, "predict", broken)
    *_, report, rows = _run(cards, **ONE)
    assert report.failed[0].reason == r"ValueError: no file 'caf\udce9.txt'"
    write(tmp_path / "scores.jsonl", rows)
    assert list(read(tmp_path / "scores.jsonl")) == rows


def test_half_characters_in_a_fact_are_read_back(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CountingModel, "fit", lambda *_: {"steps": 1, "file": "caf\udce9"})
    plan, work, report, _ = _run(cards, **ONE)
    assert not report.failed
    (train,) = (stage for stage in plan.stages.values() if isinstance(stage, Train))
    assert work.store.receipt(train.key).facts["training"]["file"] == "caf\udce9"


def test_receipts_tell_their_stage_and_its_label(cards: Path) -> None:
    plan, work, *_ = _run(cards, **ONE)
    for key, stage in plan.stages.items():
        facts = work.store.receipt(key).facts
        assert facts["stage"] == stage.name
        assert facts["label"] == asdict(plan.labels[key])


def test_every_stage_has_a_performer_called_as_it_is() -> None:
    def leaves(base: type) -> list[type]:
        return [leaf for child in base.__subclasses__() for leaf in leaves(child)] or [base]

    assert {*leaves(Stage)} == {*PERFORMERS}
    for stage, performer in PERFORMERS.items():
        assert performer.__name__ == stage.name
        assert performer.__module__ == f"xharness.executor.{stage.name}"


def _attempt_all(attempt_stages: Callable[[], list[str]], endings: Any) -> None:
    endings.put(attempt_stages())


def test_processes_that_attempt_the_same_stages_perform_each_once(cards: Path) -> None:
    plan, work, *_ = _run(cards, runtime={"keep": "all"}, **ONE)
    for key in plan.stages:
        (work.store.folder(key) / "receipt.json").unlink()

    def attempt_until_stored(stage: Stage) -> str:
        while (outcome := attempt(stage, plan.labels[stage.key], work)) is None:
            time.sleep(0.01)
        return outcome.ending

    def attempt_stages() -> list[str]:
        return [attempt_until_stored(stage) for stage in plan.stages.values()]

    processes = get_context("fork")
    endings = processes.SimpleQueue()
    workers = [
        processes.Process(target=_attempt_all, args=(attempt_stages, endings)) for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    by_stage = zip(*(endings.get() for _ in workers), strict=True)
    assert [sorted(column) for column in by_stage] == [["ran", "reused", "reused"]] * 3
