"""Runs with a counting backend: what is reused, what fails, what is marked."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.toy import CountingModel, card, toy_catalogue
from xharness.data.reader import DataReader
from xharness.executor import RunContext, RunReport, collect, collect_items
from xharness.executor.predict import computation_notes
from xharness.executor.sequential import SequentialExecutor
from xharness.files import json_text
from xharness.gaps.scores import MissingRow, ScoreRow, read, write
from xharness.leaderboard import assemble
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import Recipe, RunEnvironment, StageError, Start
from xharness.plugin.hookspecs import hookimpl
from xharness.spec.study import Study
from xharness.stages import Predict
from xharness.stages.label import StageLabel
from xharness.store import Receipt, Store


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green"):
        card(folder, name)
    return folder


def _run(
    cards: Path, *, strict: bool = False, **changes: Any
) -> tuple[Plan, RunContext, RunReport, list[ScoreRow | MissingRow]]:
    values: dict[str, Any] = {
        "name": "colours",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": ["single", "multitask"],
        "targets": ["red", "green"],
    }
    study = Study.model_validate(values | changes)
    catalogue = toy_catalogue(cards)
    environment = RunEnvironment(strict_data=strict)
    data = DataReader(catalogue, environment)
    plan = compile_plan(PlanningContext(study, catalogue, data.data_slice, environment))
    work = RunContext(catalogue, data, Store(cards.parent / "store"), environment, study.runtime)
    report = SequentialExecutor().run(plan, work)
    return plan, work, report, collect(plan, work, report)


def test_the_second_run_does_nothing(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, first, rows = _run(cards)
    assert first.count("ran") == len(first.outcomes) == 3 + 4 + 4
    monkeypatch.delattr(CountingModel, "fit")
    _, _, second, second_log = _run(cards)
    assert second.count("reused") == len(second.outcomes)
    assert rows == second_log


def test_deleting_one_targets_stages_runs_just_those_again(cards: Path) -> None:
    plan, work, _, rows = _run(cards, runtime={"keep": "all"})
    lost = [arm.score for arm in plan.arms if arm.target.task == "red"]
    keys = {key for score in lost for key in (score.key, score.predictions.key)}
    for key in keys:
        shutil.rmtree(work.store.folder(key))
    _, _, report, second_log = _run(cards, runtime={"keep": "all"})
    assert {key for key, outcome in report.outcomes.items() if outcome.ending == "ran"} == keys
    assert rows == second_log


def test_rows_are_tidy_and_survive_a_file(cards: Path, tmp_path: Path) -> None:
    *_, rows = _run(cards)
    assert len(rows) == 2 * 2 * 3
    first = rows[0]
    assert isinstance(first, ScoreRow)
    assert (first.value, first.n, first.chance) == (0.0, 10, 50.0)
    assert first.non_embedding_parameters == 60
    assert (first.source_language, first.main, first.notes) == ("en", True, ())
    write(tmp_path / "scores.jsonl", rows)
    assert list(read(tmp_path / "scores.jsonl")) == rows


def test_a_failed_stage_takes_only_its_dependents(cards: Path) -> None:
    models = [{"name": "m", "backend": "counting", "fail": "red"}]
    *_, report, rows = _run(cards, models=models)
    endings = sorted(outcome.ending for outcome in report.outcomes.values())
    # red alone and both together fail; what they feed is skipped; green alone runs
    assert endings == ["failed"] * 2 + ["ran"] * 3 + ["skipped"] * 6
    assert report.exit_code == 1
    (failure, _) = report.failed
    assert failure.reason == "loss is nan at step 3; last finite loss 0.7 at step 2"
    assert failure.log is not None and "StageError" in failure.log.read_text()
    missing = [row for row in rows if isinstance(row, MissingRow)]
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
    assert [row.reason for row in rows if isinstance(row, MissingRow)] == [
        "ZeroDivisionError: oops"
    ]


def test_a_full_disk_is_told(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "model.safetensors")

    monkeypatch.setattr(CountingModel, "save", full)
    *_, report, _ = _run(cards, targets=["red"], strategies=["single"])
    assert report.failed[0].reason is not None
    assert "model.safetensors: No space left on device" in report.failed[0].reason
    assert "--store" in report.failed[0].reason


def test_an_answer_too_few_is_an_error(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        CountingModel, "predict", lambda self, card, task_type, examples, recipe: [0]
    )
    *_, report, _ = _run(cards, targets=["red"], strategies=["single"])
    assert "1 prediction for 30 items of 'red'" in str(report.failed[0].reason)


def test_partial_data_marks_every_number_made_from_it(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("test: 10}", "test: 12}"))
    *_, rows = _run(cards)
    red = [row for row in rows if isinstance(row, ScoreRow) and row.task == "red"]
    green = [row for row in rows if isinstance(row, ScoreRow) and row.task == "green"]
    assert all(row.notes == ("partial data: test has 10 of 12 rows",) for row in red)
    assert all(row.notes == () for row in green)


def test_partial_training_data_marks_what_learnt_from_it(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("train: 10", "train: 99"))
    *_, rows = _run(cards)
    note = "trained on partial data: red has 10 of 99 rows"
    marked = {(r.strategy, r.task) for r in rows if isinstance(r, ScoreRow) and note in r.notes}
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
    assert isinstance(row, ScoreRow)
    assert row.n == 4
    assert row.notes == (
        "scored on train, not on the card's test",
        "limited: first 4 items",
        "trained on the first 3 examples of red",
    )


@pytest.mark.parametrize(
    ("old_text", "new_text", "message"),
    [
        ("text: text", "text: txt", "the data has no column 'txt' for field 'text'"),
        ("text: text", "text: txt", "did you mean 'text'?"),
        ("labels: [a, b]", "labels: [a]", "label 1 is outside the card's set; expected a"),
        ("    rows: 10\nlang", "    rows: 0\nlang", "no rows in red en train"),
    ],
)
def test_data_that_does_not_fit_the_card(
    cards: Path, old_text: str, new_text: str, message: str
) -> None:
    text = (cards / "red.yaml").read_text()
    assert old_text in text
    (cards / "red.yaml").write_text(text.replace(old_text, new_text))
    *_, report, rows = _run(cards, targets=["red"], strategies=["single"])
    assert report.exit_code == 3
    assert message in str(report.failed[0].reason)
    assert [row for row in rows if isinstance(row, ScoreRow)] == []


def test_reasons_do_not_tell_this_machines_paths(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = (cards.parent / "store").resolve()

    def broken(*_: object) -> None:
        raise ValueError(f"{store}/ab/model.safetensors:\n  is odd")

    monkeypatch.setattr(CountingModel, "predict", broken)
    *_, rows = _run(cards, targets=["red"], strategies=["single"])
    (row,) = rows
    assert isinstance(row, MissingRow)
    assert row.reason == "ValueError: STORE/ab/model.safetensors: is odd"


@pytest.mark.parametrize(
    ("template", "public"),
    [
        ("{base}: there is nothing", ".: there is nothing"),
        ("no weights in '{base}/models/a'", "no weights in 'models/a'"),
        ("{store} is full", "STORE is full"),
        ("{store}2/x is not it", "x is not it"),
        ("/opt/cache/hub/x.bin: gone", "x.bin: gone"),
        ("no '/opt/a b/x.bin' and file:///srv/b/y", "no 'x.bin' and y"),
        ("https://example.org/a/b or and/or ../c/d", "https://example.org/a/b or and/or ../c/d"),
    ],
)
def test_reasons_keep_no_absolute_path_and_no_hint(
    cards: Path, monkeypatch: pytest.MonkeyPatch, template: str, public: str
) -> None:
    monkeypatch.chdir(cards)
    reason = template.format(base=cards.resolve(), store=(cards.parent / "store").resolve())

    def broken(*_: object) -> None:
        raise StageError(reason, hint="buy another disk")

    monkeypatch.setattr(CountingModel, "predict", broken)
    *_, report, rows = _run(cards, targets=["red"], strategies=["single"])
    assert [row.reason for row in rows if isinstance(row, MissingRow)] == [public]
    assert "buy another disk" in str(report.failed[0].reason)


def test_reasons_of_the_plan_keep_no_hint(cards: Path) -> None:
    plan, work, report, _ = _run(cards, targets=["red"], strategies=["single"])
    missing_row = MissingRow(
        model="m", strategy="s", seed=1, task="red", reason="no data\n  leave out --offline"
    )
    plan.missing.append(missing_row)
    assert [row.reason for row in collect(plan, work, report) if isinstance(row, MissingRow)] == [
        "no data"
    ]


def test_without_its_predictions_a_score_still_tells_everything(cards: Path) -> None:
    plan, work, _, rows = _run(cards)
    for arm in plan.arms:
        shutil.rmtree(work.store.folder(arm.score.predictions.key), ignore_errors=True)
    _, _, report, second_log = _run(cards)
    assert report.count("reused") == len(report.outcomes)
    assert rows == second_log


@pytest.mark.parametrize("fact", ["sizes", "data", "trained_on", "notes", "empty"])
def test_a_score_that_tells_too_little_is_damaged(cards: Path, fact: str) -> None:
    plan, work, *_ = _run(cards, targets=["red"], strategies=["single"])
    (arm,) = plan.arms
    path = work.store.folder(arm.score.key) / "receipt.json"
    receipt = json.loads(path.read_text())
    del receipt["facts"][fact]
    values = Receipt(receipt["key"], receipt["facts"], receipt["files"]).values
    path.write_text(json_text(values))
    *_, report, lost = _run(cards, targets=["red"], strategies=["single"])
    assert report.exit_code == 1
    assert f"delete {path.parent}" in str(report.failed[0].reason)
    assert [type(row) for row in lost] == [MissingRow]


@pytest.mark.parametrize("name", ["scores.json", "statistics/sw.parquet", "receipt.json"])
def test_a_damaged_score_takes_only_its_own_arm(cards: Path, name: str) -> None:
    plan, work, *_ = _run(cards, strategies=["single"])
    bad, good = (arm.score for arm in plan.arms)
    (work.store.folder(bad.key) / name).write_text('{"facts": 1}')
    plan, work, report, rows = _run(cards, strategies=["single"])
    (missing,) = (row for row in rows if isinstance(row, MissingRow))
    assert missing.task == "red" and missing.reason.startswith("STORE/")
    assert report.exit_code == 1
    assert [outcome.stage for outcome in report.failed] == [bad]
    assert {items.stage for items in collect_items(plan, work, report)} == {good.key}


@pytest.mark.parametrize("part", ["test", "train"])
@pytest.mark.parametrize("lost", [(), ("train",), ("train", "predict")])
def test_strict_data_refuses_what_was_stored_without_it(
    cards: Path, part: str, lost: tuple[str, ...]
) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace(f"{part}: 10", f"{part}: 12"))
    plan, work, relaxed, _ = _run(cards, strategies=["single"])
    assert relaxed.exit_code == 0
    for stage in plan.stages.values():
        if stage.name in lost:
            shutil.rmtree(work.store.folder(stage.key))
    plan, work, report, rows = _run(cards, strict=True, strategies=["single"])
    assert report.exit_code == 3
    assert f"partial data: red en {part}: 10 rows, 12 expected" in str(report.failed[0].reason)
    assert {row.task for row in rows if isinstance(row, MissingRow)} == {"red"}
    assert {row.task for row in rows if isinstance(row, ScoreRow)} == {"green"}
    assert len({items.stage for items in collect_items(plan, work, report)}) == 1
    *_, second_report, _ = _run(cards, strategies=["single"])
    assert second_report.count("reused") == len(second_report.outcomes)


class _Watcher:
    """Lets the other process finish as soon as it is told that this one waits."""

    def __init__(self, lock: FileLock) -> None:
        self.lock, self.told = lock, list[str]()

    @hookimpl
    def xharness_stage_waiting(self, label: StageLabel) -> None:
        self.told.append(str(label))
        self.lock.release()


def test_observers_are_told_that_a_stage_waits_for_another_process(cards: Path) -> None:
    plan, work, *_ = _run(cards, targets=["red"], strategies=["single"])
    key, *_ = plan.stages
    for stage in plan.stages:
        shutil.rmtree(work.store.folder(stage))
    lock = FileLock(work.store.folder(key).with_suffix(".lock"))
    lock.acquire()
    watcher = _Watcher(lock)
    work.catalogue.plugins.manager.register(watcher)
    assert SequentialExecutor().run(plan, work).count("ran") == 3
    assert watcher.told == ["m · train red · seed 1"]


def _foreign(cards: Path) -> None:
    """A task `blue` without a test set in English, which asks the same as `red`."""
    path = card(cards, "blue", train_on="red")
    text = path.read_text().replace("languages: [en, ", "languages: [")
    path.write_text(text + "source_language: null\nsource_score_from: red\nhead: red\n")


def test_a_card_names_the_task_that_lends_it_a_source_score(cards: Path) -> None:
    _foreign(cards)
    plan, work, _, rows = _run(cards, targets=["blue"], strategies=["single"])
    lent = [row for row in rows if isinstance(row, ScoreRow) and row.task == "red"]
    assert [(row.language, row.trainings) for row in lent] == [("en", rows[0].trainings)]
    metrics = {"classification": work.catalogue.task_types["classification"].metrics}
    board = assemble(plan.study, rows, {}, metrics)
    assert board.tasks == ("blue",)
    (task_gap,) = board.gaps.tasks
    assert task_gap.source and task_gap.source.value == lent[0].value and task_gap.gap
    assert "English is the test split of red (en)" in task_gap.notes


@pytest.mark.parametrize(
    ("changes", "tasks"),
    [
        ({"source_score_from": {"blue": None}}, ["blue"]),
        ({"source_score_from": {"blue": "green"}}, ["blue", "green"]),
        ({"targets": ["blue", "red"]}, ["blue", "red"]),
    ],
)
def test_a_study_may_name_another_lender_or_none(
    cards: Path, changes: dict[str, Any], tasks: list[str]
) -> None:
    _foreign(cards)
    green = cards / "green.yaml"
    green.write_text(green.read_text() + "head: red\n")
    *_, rows = _run(cards, **{"targets": ["blue"], "strategies": ["single"], **changes})
    assert sorted({row.task for row in rows}) == tasks


def test_a_lender_without_data_leaves_the_task_without_a_source_score(cards: Path) -> None:
    _foreign(cards)
    path = cards / "red.yaml"
    path.write_text(path.read_text().replace("from: toy", "from: toy\n    missing: [en]", 1))
    train = card(cards, "warm", role="intermediate")
    train.write_text(train.read_text() + "head: red\n")
    blue = cards / "blue.yaml"
    blue.write_text(blue.read_text().replace("train_on: [red]", "train_on: [warm]"))
    *_, rows = _run(cards, targets=["blue"], strategies=["single"])
    reasons = [(row.task, row.language, row.reason) for row in rows if isinstance(row, MissingRow)]
    assert reasons == [("blue", "en", "no rows in 'en'")]


@pytest.mark.parametrize(
    ("recipe", "computed", "notes"),
    [
        (
            {"precision": "bf16"},
            {"precision": "bf16", "device": "cpu"},
            ["computed in bf16 on a CPU"],
        ),
        ({"precision": "bf16"}, {"precision": "bf16", "device": "cuda:0"}, []),
        ({"precision": "auto"}, {"precision": "bf16", "device": "cuda:0"}, ["computed in bf16"]),
        (
            {"max_length": 99_999},
            {"precision": "fp32", "device": "cpu", "max_length": "512"},
            ["max_length 99999 is more than the model reads: 512"],
        ),
    ],
)
def test_what_is_computed_otherwise_is_noted(
    recipe: dict[str, Any], computed: dict[str, str], notes: list[str]
) -> None:
    stage = Predict(Start("counting", "{}", "f"), "red", (), Recipe(**recipe))
    assert [*computation_notes(stage, computed)] == notes
