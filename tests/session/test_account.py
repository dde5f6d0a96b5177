"""The account of a plan: what it counts, and that it needs neither data nor weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.project import Project, fresh, invoke
from tests.hf import tiny
from xharness import ConfigurationError, Pace, open_study
from xharness.session.account.pace import keep_measured, paces_of
from xharness.session.account.work import CAPS, item_length
from xharness.session.options import TimeBudget

HUB = {"name": "xlmr", "hub": "FacebookAI/xlm-roberta-base"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("XHARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    return fresh(tmp_path)


def _account(project: Project, device: str | None = None) -> object:
    project.write()
    session = open_study(
        "study.yaml", cards=["cards"], store="store", offline=True, executor="sequential"
    )
    return session.account(device)


def test_neither_data_nor_weights_are_needed(project: Project) -> None:
    project.study["models"] = [HUB]
    for path in (project.folder / "data").iterdir():
        path.unlink()
    account = _account(project, "h100")
    (row,) = account.rows
    assert (row.model, row.strategy, row.trainings) == ("xlmr", "single", 1)
    assert row.steps == 4  # three epochs of 40 rows in batches of 32
    assert account.peak_swept == account.peak_kept == pytest.approx(4 * 4 * 278e6, rel=0.05)
    assert account.downloads == ("FacebookAI/xlm-roberta-base (1.1 GB)",)


def test_operations_are_six_a_parameter_and_sub_word_learnt_and_two_a_read(
    project: Project,
) -> None:
    project.study["models"] = [HUB]
    account = _account(project, "h100")
    (row,) = account.rows
    length = item_length("mood", "en", 128, None).sub_words
    learnt_sub_words = 4 * 32 * length
    read_sub_words = 20 * sum(
        item_length("mood", code, 128, None).sub_words for code in ("en", "de", "sw")
    )
    non_embedding = 86e6
    expected = non_embedding * (6 * learnt_sub_words + 2 * read_sub_words)
    assert row.operations == pytest.approx(expected, rel=0.05)
    assert row.is_guess  # the table has no such task


def test_models_that_go_leave_room(project: Project) -> None:
    project.study["models"] = [HUB]
    project.study["seeds"] = [1, 2, 3, 4]
    account = _account(project, "h100")
    assert account.peak_kept == pytest.approx((4 + 3) * 4 * 278e6, rel=0.05)
    assert account.peak_swept == pytest.approx((1 + 3) * 4 * 278e6, rel=0.05)


def test_what_is_stored_costs_nothing(project: Project) -> None:
    assert project.run().exit_code == 0
    account = _account(project)
    assert account.total.seconds == account.total.trainings == 0


def test_a_store_with_receipts_tells_the_pace(project: Project) -> None:
    assert project.run().exit_code == 0
    seconds = sum(receipt["facts"]["seconds"] for receipt in project.receipts().values())
    project.study["seeds"] = [7]
    account = _account(project)
    assert account.pace_source.startswith("receipts in the store")
    assert seconds / 1.5 < account.total.seconds < seconds * 1.5


def test_a_budget_refuses(project: Project) -> None:
    project.study["models"] = [HUB]
    project.write()
    words = ["study.yaml", "--cards", "cards", "--store", "store", "--budget", "1min"]
    (project.folder / "cache").mkdir()
    keep_measured(project.folder / "cache", "cpu", {"fp32": Pace(1e6, 1.0)})
    for command in ("plan", "run"):
        result = invoke(project.folder, command, *words, "--offline")
        assert result.exit_code in (2, 3)  # a run without its model starts nothing anyway
    project.study["models"] = [{"name": "grams", "backend": "ngrams", "bits": 8}]
    project.write()
    result = invoke(project.folder, "run", *words[:-1], "0.001min")
    assert result.exit_code == 2
    assert "--budget: the study takes about" in result.stderr
    assert not (project.folder / "scores.jsonl").exists()
    assert invoke(project.folder, "run", *words[:-1], "5h").exit_code == 0


def test_the_plan_shows_a_row_an_arm_and_a_total(project: Project) -> None:
    result = invoke(project.folder, *project.words("plan"))
    assert "trainings" in result.stdout and "  all " in result.stdout
    assert "train mood" not in result.stdout
    assert "train mood" in invoke(project.folder, *project.words("plan", "--stages")).stdout
    values = json.loads(invoke(project.folder, *project.words("plan", "--json")).stdout)
    assert values["account"]["total"]["trainings"] == 2


def test_a_measured_pace_is_taken_before_a_guess(tmp_path: Path) -> None:
    assert paces_of(None, tmp_path)[0] == "cpu"
    keep_measured(tmp_path, "cuda:0", {"fp32": Pace(1e12, 0.01), "bf16": Pace(2e12, 0.01)})
    name, paces = paces_of(None, tmp_path)
    assert name == "cuda"
    assert [paces.of(precision).operations_per_second for precision in ("fp32", "tf32")] == [
        1e12
    ] * 2
    assert paces.of("auto") == paces.of("bf16") == paces.of("fp16") == Pace(2e12, 0.01)
    assert paces_of("h100", tmp_path)[1].of("bf16").operations_per_second > 1e14
    with pytest.raises(ConfigurationError, match="nothing is known of the speed of 'h10'"):
        paces_of("h10", tmp_path)


@pytest.mark.parametrize(("text", "seconds"), [("20h", 72000), ("1.5 h", 5400), ("90min", 5400)])
def test_budgets(text: str, seconds: float) -> None:
    assert TimeBudget.of(text).seconds == seconds


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_budget_that_is_no_time_is_refused_before_anything(
    command: str, project: Project
) -> None:
    project.write()
    result = invoke(project.folder, *project.words(command, "--budget", "soon"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--budget: 'soon' is no time; expected such as 20h, 90min or 2d" in result.stderr


@given(st.sampled_from(["xnli", "xquad", "wikiann", "nothing"]), st.integers(8, 5000))
def test_longer_cuts_never_shorten(task: str, max_length: int) -> None:
    shorter = item_length(task, "en", max_length, None).sub_words
    longer = item_length(task, "en", max_length + 1, None).sub_words
    assert shorter <= longer <= item_length(task, "en", CAPS[-1], None).sub_words


def test_windows_read_a_long_text_whole_and_more() -> None:
    cut = item_length("xquad", "en", 96, None).sub_words
    uncut = item_length("xquad", "en", CAPS[-1], None).sub_words
    assert cut < uncut < item_length("xquad", "en", 96, 32).sub_words


def test_missing_things_are_told_once(project: Project) -> None:
    project.study["models"] = [HUB]
    project.study["strategies"] = ["single", "multitask"]
    project.study["targets"] = ["multichecklist"]
    project.study["seeds"] = [1, 2, 3]
    project.write()
    session = open_study("study.yaml", store="store", offline=True)
    assert len(session.plan.missing) == 6 * 2 * 3  # tasks, strategies, seeds
    (row,) = session.missing()
    assert "multichecklist_comparisons" in row["task"]
    assert (row["arms"], row["languages"]) == ("all", ["all"])


@pytest.mark.data
def test_suites_without_files_are_one_line(project: Project, data_root: Path) -> None:
    """Their training set is there: of six tasks in fifty languages each, every file is missing."""
    folder = project.folder / "model"
    tiny.bert(folder)
    project.study["models"] = [{"name": "m", "path": "model"}]
    project.study["targets"] = ["multichecklist"]
    project.write()
    session = open_study("study.yaml", store="store", offline=True, data_root=data_root)
    assert len(session.plan.missing) == 6 * 50
    (row,) = session.missing()
    assert "multichecklist/<language>.jsonl: there is no such file" in row["reason"]
