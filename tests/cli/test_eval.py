"""One line without a file trains, scores, and prints the study that it stands for."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import Result

import xharness
from tests.cli.project import Project, invoke
from xharness.spec.study import Study

LINE = ("eval", "--model", "majority", "--tasks", "mood", "--cards", "cards", "--store", "store")


def printed(result: Result) -> dict[str, object]:
    """The study on standard output."""
    text, _, _ = result.stdout.partition("\n\n")
    study = yaml.safe_load(text)
    Study.model_validate(study)
    return dict(study)


def test_one_line_scores_and_prints_its_study(project: Project) -> None:
    result = invoke(project.folder, *LINE, "--languages", "de,sw", "--seeds", "3", "--limit", "15")
    assert result.exit_code == 0, result.stderr
    study = printed(result)
    assert study["seeds"] == [1, 2, 3]
    assert study["strategies"] == ["single"]
    # The source language is scored too: a gap is measured from it.
    assert study["targets"] == [{"task": "mood", "languages": ["en", "de", "sw"], "limit": 15}]
    assert study["train_limit"] == 15
    folder = project.folder / "runs" / str(study["name"])
    rows = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert {row["language"] for row in rows if "value" in row} == {"en", "de", "sw"}
    assert "accuracy" in result.stdout and "English" in result.stdout


def test_what_is_in_no_average_is_told_where_the_line_was_typed(project: Project) -> None:
    result = invoke(project.folder, *LINE)
    assert "Open and left out: mood is in no average: not learnt by single" in result.stdout
    board = (project.folder / "runs/majority-mood/leaderboard.md").read_text(encoding="utf-8")
    line = next(line for line in result.stdout.splitlines() if line.startswith("Open and"))
    assert line in board


def test_the_saved_study_is_the_one_that_ran(project: Project) -> None:
    assert invoke(project.folder, *LINE, "--save", "mine.yaml").exit_code == 0
    scores = (project.folder / "mine" / "scores.jsonl").read_text(encoding="utf-8")
    words = ("run", "mine.yaml", "--cards", "cards", "--store", "store")
    assert invoke(project.folder, *words).exit_code == 0
    assert (project.folder / "mine" / "scores.jsonl").read_text(encoding="utf-8") == scores


def test_split_and_training_limit_are_part_of_the_study(project: Project) -> None:
    line = (*LINE, "--split", "train", "--limit", "5", "--train-limit", "7", "--save", "mine.yaml")
    result = invoke(project.folder, *line)
    assert result.exit_code == 0, result.stderr
    assert printed(result) == yaml.safe_load((project.folder / "mine.yaml").read_text())
    assert printed(result)["targets"] == [{"task": "mood", "split": "train", "limit": 5}]
    assert printed(result)["train_limit"] == 7
    # Nothing is changed for one run alone, so the results are the file's own.
    assert (project.folder / "mine" / "scores.jsonl").is_file()


@pytest.mark.parametrize("words", [("majority,ngrams",), ("majority", "--model", "ngrams")])
def test_several_models_stand_beside_each_other(words: tuple[str, ...], project: Project) -> None:
    result = invoke(project.folder, "eval", "--model", *words, *LINE[3:])
    assert result.exit_code == 0, result.stderr
    study = Study.model_validate(printed(result))
    assert [model.name for model in study.models] == ["majority", "ngrams"]


def test_a_mistyped_backend_is_no_model_of_the_hub(project: Project) -> None:
    result = invoke(project.folder, "eval", "--model", "majorty", *LINE[3:])
    assert result.exit_code == 2 and "did you mean 'majority'?" in result.stderr


def test_a_study_that_is_there_stays(project: Project) -> None:
    text = (project.folder / "study.yaml").read_text(encoding="utf-8")
    result = invoke(project.folder, *LINE, "--save", "study.yaml")
    assert result.exit_code == 2
    assert "another study is there already" in result.stderr
    assert (project.folder / "study.yaml").read_text(encoding="utf-8") == text


def test_another_question_gets_another_folder(project: Project) -> None:
    first = printed(invoke(project.folder, *LINE))
    second = printed(invoke(project.folder, *LINE, "--limit", "5"))
    assert first["name"] != second["name"]
    assert len([*(project.folder / "runs").glob("*/scores.jsonl")]) == 2


def test_models_are_named_as_in_lm_evaluation_harness(project: Project) -> None:
    line = ("eval", "--model", "hf", "--model-args", "pretrained=org/name,num_layers=2")
    save = ("--tasks", "mood", "--cards", "cards", "--save", "s.yaml", "--offline")
    result = invoke(project.folder, *line, *save)
    (model,) = yaml.safe_load((project.folder / "s.yaml").read_text(encoding="utf-8"))["models"]
    assert model == {"name": "name", "model": "org/name", "backend": "hf", "num_layers": 2}
    assert result.exit_code == 3  # not in the cache, and no network asked for


def test_arguments_of_a_model_may_be_its_recipe(project: Project) -> None:
    words = "bits=8,batch_size=4,dtype=bfloat16,learning_rate=2e-5"
    line = ("eval", "--model", "ngrams", "--model-args", words, "--tasks", "mood")
    result = invoke(project.folder, *line, "--cards", "cards", "--save", "s.yaml")
    assert result.exit_code == 0, result.stderr
    (model,) = yaml.safe_load((project.folder / "s.yaml").read_text(encoding="utf-8"))["models"]
    recipe = {"batch_size": 4, "precision": "bf16", "learning_rate": "2e-5"}
    assert model == {"name": "ngrams", "backend": "ngrams", "bits": 8, "recipe": recipe}
    (arm,) = xharness.open_study(
        project.folder / "s.yaml", cards=[project.folder / "cards"]
    ).plan.arms
    assert arm.score.predictions.recipe.learning_rate == 2e-5


def test_a_folder_of_a_model_counts_from_the_study(project: Project) -> None:
    (project.folder / "models" / "tiny").mkdir(parents=True)
    line = ("eval", "--model", "models/tiny", "--tasks", "mood", "--cards", "cards")
    invoke(project.folder, *line, "--save", "mine/study.yaml")
    study = yaml.safe_load((project.folder / "mine" / "study.yaml").read_text(encoding="utf-8"))
    assert study["models"] == [{"name": "tiny", "path": "../models/tiny"}]


def test_the_strategy_intermediate_takes_its_tasks(project: Project) -> None:
    line = (*LINE, "--intermediate", "mood", "--strategy", "single,intermediate")
    study = printed(invoke(project.folder, *line))
    assert study["strategies"] == ["single", {"intermediate": {"tasks": ["mood"]}}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tasks", "moood"], "did you mean 'mood'?"),
        (["--languages", "xx"], "task 'mood' has no language 'xx'"),
        (["--strategy", "singel"], "did you mean 'single'?"),
        (["--strategy", "single", "--intermediate", "mood"], "single,intermediate"),
        (["--model-args", "bits"], "'bits' is no key=value"),
        (["--model-args", "dtype=bfloat1"], "did you mean 'bfloat16'?"),
    ],
)
def test_mistakes_name_what_is_near(words: list[str], message: str, project: Project) -> None:
    result = invoke(project.folder, *LINE, *words)
    assert result.exit_code == 2, result.stdout
    assert message in result.stderr


def test_the_same_in_python(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    board = xharness.evaluate("majority", "mood", languages="sw", cards=["cards"], store="store")
    assert {row.language for row in board.scores} == {"en", "sw"}


def test_a_model_that_only_ranks_answers_is_prompted(project: Project) -> None:
    line = ("eval", "--model", "org/name", "--model-args", "mode=loglikelihood", "--offline")
    result = invoke(project.folder, *line, "--tasks", "mood", "--cards", "cards")
    assert printed(result)["strategies"] == ["prompt"]
