"""Runs with a counting backend: what is reused, what fails, what is marked."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.toy import CountingModel, card, toy_catalogue
from xharness.data import Data
from xharness.executor import Report, Sequential, Work, collect
from xharness.extend import Surroundings
from xharness.plan import Plan, compile_plan
from xharness.scores import Missing, Score, read, write
from xharness.store import Store
from xharness.study import Study


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green"):
        card(folder, name)
    return folder


def _run(
    cards: Path, *, strict: bool = False, **changes: Any
) -> tuple[Plan, Work, Report, list[Score | Missing]]:
    values: dict[str, Any] = {
        "name": "colours",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": ["single", "multitask"],
        "targets": ["red", "green"],
    }
    study = Study.model_validate(values | changes)
    catalogue = toy_catalogue(cards)
    around = Surroundings(strict_data=strict)
    data = Data(catalogue, around)
    plan = compile_plan(study, catalogue, data.portion, around)
    work = Work(catalogue, data, Store(cards.parent / "store"), around, study.runtime)
    report = Sequential().run(plan, work)
    return plan, work, report, collect(plan, work, report)


def test_the_second_run_does_nothing(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, first, rows = _run(cards)
    assert first.count("ran") == len(first.outcomes) == 3 + 4 + 4
    monkeypatch.delattr(CountingModel, "fit")
    _, _, second, again = _run(cards)
    assert second.count("reused") == len(second.outcomes)
    assert rows == again


def test_deleting_one_targets_stages_runs_just_those_again(cards: Path) -> None:
    plan, work, _, rows = _run(cards)
    lost = [arm.score for arm in plan.arms if arm.target.task == "red"]
    keys = {key for score in lost for key in (score.key, score.predictions.key)}
    for key in keys:
        shutil.rmtree(work.store.folder(key))
    _, _, report, again = _run(cards)
    assert {key for key, one in report.outcomes.items() if one.ending == "ran"} == keys
    assert rows == again


def test_rows_are_tidy_and_survive_a_file(cards: Path, tmp_path: Path) -> None:
    *_, rows = _run(cards)
    assert len(rows) == 2 * 2 * 3
    first = rows[0]
    assert isinstance(first, Score)
    assert (first.value, first.n, first.chance) == (0.0, 10, 50.0)
    assert first.non_embedding_parameters == 60
    assert (first.source_language, first.main, first.notes) == ("en", True, ())
    write(tmp_path / "scores.jsonl", rows)
    assert list(read(tmp_path / "scores.jsonl")) == rows


def test_a_failed_stage_takes_only_its_dependents(cards: Path) -> None:
    models = [{"name": "m", "backend": "counting", "fail": "red"}]
    *_, report, rows = _run(cards, models=models)
    endings = sorted(one.ending for one in report.outcomes.values())
    # red alone and both together fail; what they feed is skipped; green alone runs
    assert endings == ["failed"] * 2 + ["ran"] * 3 + ["skipped"] * 6
    assert report.exit_code == 1
    (failure, _) = report.failed
    assert failure.reason == "loss is nan at step 3; last finite loss 0.7 at step 2"
    assert failure.log is not None and "StageError" in failure.log.read_text()
    missing = [row for row in rows if isinstance(row, Missing)]
    assert {(row.strategy, row.task) for row in missing} == {
        ("single", "red"),
        ("multitask", "red"),
        ("multitask", "green"),
    }
    assert all("loss is nan" in row.reason for row in missing)


def test_a_defect_in_a_backend_is_a_failure_not_a_crash(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(CountingModel, "predict", broken)
    *_, report, rows = _run(cards, targets=["red"], strategies=["single"])
    assert report.exit_code == 1
    assert [row.reason for row in rows if isinstance(row, Missing)] == ["ZeroDivisionError: oops"]


def test_a_full_disk_is_told(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "model.safetensors")

    monkeypatch.setattr(CountingModel, "save", full)
    *_, report, _ = _run(cards, targets=["red"], strategies=["single"])
    assert report.failed[0].reason is not None
    assert "model.safetensors: No space left on device" in report.failed[0].reason
    assert "--store" in report.failed[0].reason


def test_an_answer_too_few_is_an_error(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountingModel, "predict", lambda self, card, kind, examples, recipe: [0])
    *_, report, _ = _run(cards, targets=["red"], strategies=["single"])
    assert report.failed[0].reason == "1 predictions for 10 items of 'red'"


def test_partial_data_marks_every_number_made_from_it(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("test: 10}", "test: 12}"))
    *_, rows = _run(cards)
    red = [row for row in rows if isinstance(row, Score) and row.task == "red"]
    green = [row for row in rows if isinstance(row, Score) and row.task == "green"]
    assert all(row.notes == ("partial data: test has 10 of 12 rows",) for row in red)
    assert all(row.notes == () for row in green)


def test_partial_training_data_marks_what_learnt_from_it(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("train: 10", "train: 99"))
    *_, rows = _run(cards)
    note = "trained on partial data: red has 10 of 99 rows"
    marked = {(r.strategy, r.task) for r in rows if isinstance(r, Score) and note in r.notes}
    assert marked == {("single", "red"), ("multitask", "red"), ("multitask", "green")}


def test_strict_data_refuses_partial_data(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("test: 10}", "test: 12}"))
    *_, report, _ = _run(cards, strict=True, targets=["red"], strategies=["single"])
    assert report.exit_code == 3
    assert report.failed[0].reason is not None
    assert "partial data: red en test: 10 rows, 12 expected" in report.failed[0].reason


def test_limits_and_other_splits_are_told(cards: Path) -> None:
    *_, rows = _run(
        cards,
        targets=[{"task": "red", "limit": 4, "split": "train"}],
        strategies=["single"],
        train_limit=3,
    )
    (row, *_) = rows
    assert isinstance(row, Score)
    assert row.n == 4
    assert row.notes == (
        "scored on train, not on the card's test",
        "limited: first 4 items",
        "trained on the first 3 examples of red",
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("text: text", "text: txt", "the data has no column 'txt' for field 'text'"),
        ("text: text", "text: txt", "did you mean 'text'?"),
        ("labels: [a, b]", "labels: [a]", "label 1 is outside the card's set; expected a"),
        ("    rows: 10\nlang", "    rows: 0\nlang", "no rows in red en train"),
    ],
)
def test_data_that_does_not_fit_the_card(
    cards: Path, before: str, after: str, message: str
) -> None:
    text = (cards / "red.yaml").read_text()
    assert before in text
    (cards / "red.yaml").write_text(text.replace(before, after))
    *_, report, rows = _run(cards, targets=["red"], strategies=["single"])
    assert report.exit_code == 3
    assert message in str(report.failed[0].reason)
    assert [row for row in rows if isinstance(row, Score)] == []


def test_reasons_do_not_tell_this_machines_paths(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (cards.parent / "store").resolve()

    def broken(*_: object) -> None:
        raise ValueError(f"{store}/ab/model.safetensors:\n  is odd")

    monkeypatch.setattr(CountingModel, "predict", broken)
    *_, rows = _run(cards, targets=["red"], strategies=["single"])
    (row,) = rows
    assert isinstance(row, Missing)
    assert row.reason == "ValueError: STORE/ab/model.safetensors: is odd"
