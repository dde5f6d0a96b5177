"""What a run leaves for other programs: tables, records, model cards, data frames."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCard

from tests.cli.project import Project, fresh, invoke
from xharness import dataframes
from xharness.gaps import scores
from xharness.leaderboard.exports.every_eval_ever import _result
from xharness.task_types import BUILTIN

ROWS = 6  # two models in three languages


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that tests only read."""
    project = fresh(tmp_path_factory.mktemp("project"))
    project.study["runtime"] = {"keep": "all"}
    project.write()
    assert project.run("--output", "run").exit_code == 0
    return project


def _export(project: Project, *words: str) -> str:
    result = invoke(project.folder, "leaderboard", "export", "run", *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_csv_json_and_parquet_hold_the_same_rows(finished: Project) -> None:
    for name in ("scores.csv", "scores.json", "scores.parquet"):
        _export(finished, "--to", name)
    with (finished.folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    json_rows = json.loads((finished.folder / "scores.json").read_text(encoding="utf-8"))
    stored = pq.read_table(finished.folder / "scores.parquet").to_pylist()
    assert len(table) == len(json_rows) == len(stored) == ROWS
    assert [float(row["value"]) for row in table] == [row["value"] for row in json_rows]
    assert stored == json_rows


def test_every_eval_ever_records_have_what_the_schema_requires(finished: Project) -> None:
    _export(finished, "--to", "out", "--format", "every-eval-ever", "--organization", "A lab")
    paths = sorted((finished.folder / "out").iterdir())
    assert [path.name for path in paths] == [
        "grams--single--seed-1.json", "most--single--seed-1.json",
    ]  # fmt: skip
    for path in paths:
        record = json.loads(path.read_text(encoding="utf-8"))
        assert {"schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata",
                "model_info", "eval_library", "evaluation_results"} == record.keys()  # fmt: skip
        source = record["source_metadata"]
        assert source["source_type"] == "evaluation_run"
        assert source["source_organization_name"] == "A lab"
        assert source["evaluator_relationship"] in (
            "first_party", "third_party", "collaborative", "other",
        )  # fmt: skip
        for result in record["evaluation_results"]:
            assert {"evaluation_name", "source_data", "metric_config", "score_details"} == (
                result.keys()
            )
            assert {"min_score", "max_score", "lower_is_better"} <= result["metric_config"].keys()
            assert isinstance(result["score_details"]["score"], float)
            assert result["metric_config"]["lower_is_better"] is False
            details = result["source_data"]["additional_details"]
            assert all(isinstance(value, str) for value in details.values())


def test_every_eval_ever_is_told_which_metrics_are_errors() -> None:
    row = scores.ScoreRow(
        model="m", strategy="single", seed=1, task="xquad", task_type="extractive_qa",
        language="de",
        source_language="en", split="test", metric="wrong_language", main=False, value=3, n=9,
    )  # fmt: skip
    metrics = {task_type.name: task_type.metrics for task_type in BUILTIN}
    results = [_result(score, metrics) for score in (row, replace(row, metric="f1"))]
    assert [result["metric_config"]["lower_is_better"] for result in results] == [True, False]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "scores"), "--format"),
        (("--to", "scores.xml", "--format", "xml"), "there is no format 'xml'"),
        (("--to", "scores", "--format", "parket"), "did you mean 'parquet'?"),
    ],
)
def test_unknown_formats_are_refused(
    finished: Project, words: tuple[str, ...], message: str
) -> None:
    result = invoke(finished.folder, "leaderboard", "export", "run", *words)
    assert result.exit_code == 2 and message in result.stderr


def _cards(project: Project) -> list[Path]:
    return sorted((project.folder / "store").glob("*/*/model/README.md"))


def test_each_trained_model_has_a_card_the_hub_can_read(finished: Project) -> None:
    rows = {
        (row.model, row.language): row.value
        for row in scores.read(finished.folder / "run" / "scores.jsonl")
        if isinstance(row, scores.ScoreRow)
    }
    cards = [ModelCard.load(path) for path in _cards(finished)]
    assert len(cards) == 2
    for card in cards:
        assert card.data.language == ["de", "en", "sw"]
        values = {
            result.dataset_config: result.metric_value for result in card.data.eval_results or []
        }
        model = (card.data.model_name or "").partition("-")[0]
        for language, value in values.items():
            assert value == pytest.approx(rows[model, str(language)], abs=0.005)
        assert all(result.dataset_type == "mood" for result in card.data.eval_results or [])


def test_a_card_keeps_what_another_study_told(project: Project) -> None:
    project.study["runtime"] = {"keep": "all"}
    project.write()
    for languages in ("en,de", "sw"):
        assert project.run("--output", languages, "--languages", languages).exit_code == 0
    for path in _cards(project):
        results = ModelCard.load(path).data.eval_results or []
        assert [result.dataset_config for result in results] == ["en", "de", "sw"]


def test_a_second_run_reuses_the_models_and_leaves_the_cards(finished: Project) -> None:
    times = [(path, path.stat().st_mtime_ns) for path in _cards(finished)]
    assert finished.run("--output", "run").exit_code == 0
    assert [(path, path.stat().st_mtime_ns) for path in _cards(finished)] == times


def test_frames_for_notebooks(finished: Project) -> None:
    run = finished.folder / "run"
    assert len(dataframes.scores(run)) == ROWS
    gaps = dataframes.gaps(run)
    assert list(gaps["model"]) == ["grams", "most"] or list(gaps["model"]) == ["most", "grams"]
    assert (gaps["gap"] - (gaps["source"] - gaps["others"])).abs().max() < 1e-9
    assert set(dataframes.languages(run)["language"]) == {"en", "de", "sw"}
    assert (dataframes.comparison(run, run)["difference"] == 0).all()
    assert dataframes.changes(run).empty
