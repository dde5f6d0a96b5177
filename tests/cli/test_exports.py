"""What a run leaves for other programs: tables, records, model cards, data frames."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCard

from tests.cli.project import Project, fresh, invoke
from xharness.gaps import scores
from xharness.leaderboard.exports.every_eval_ever import _result
from xharness.session import dataframes
from xharness.task_types import BUILTIN

ROWS = 6  # two models in three languages


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that tests only read."""
    project = fresh(tmp_path_factory.mktemp("project"))
    assert project.run("--output", "run").exit_code == 0
    return project


def _export(project: Project, *words: str) -> str:
    result = invoke(project.folder, "leaderboard", "export", "run", *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_csv_json_and_parquet_hold_the_same_rows(done: Project) -> None:
    for name in ("scores.csv", "scores.json", "scores.parquet"):
        _export(done, "--to", name)
    with (done.folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    listed = json.loads((done.folder / "scores.json").read_text(encoding="utf-8"))
    stored = pq.read_table(done.folder / "scores.parquet").to_pylist()
    assert len(table) == len(listed) == len(stored) == ROWS
    assert [float(row["value"]) for row in table] == [row["value"] for row in listed]
    assert stored == listed


def test_every_eval_ever_records_have_what_the_schema_requires(done: Project) -> None:
    _export(done, "--to", "out", "--format", "every-eval-ever", "--organization", "A lab")
    paths = sorted((done.folder / "out").iterdir())
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
    row = scores.Score(
        model="m", strategy="single", seed=1, task="xquad", task_type="extractive_qa", language="de",
        source_language="en", split="test", metric="wrong_language", main=False, value=3, n=9,
    )  # fmt: skip
    metrics = {kind.name: kind.metrics for kind in BUILTIN}
    told = [_result(one, metrics) for one in (row, row.model_copy(update={"metric": "f1"}))]
    assert [one["metric_config"]["lower_is_better"] for one in told] == [True, False]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "scores"), "--format"),
        (("--to", "scores.xml", "--format", "xml"), "there is no format 'xml'"),
        (("--to", "scores", "--format", "parket"), "did you mean 'parquet'?"),
    ],
)
def test_unknown_formats_are_refused(done: Project, words: tuple[str, ...], told: str) -> None:
    result = invoke(done.folder, "leaderboard", "export", "run", *words)
    assert result.exit_code == 2 and told in result.stderr


def _cards(project: Project) -> list[Path]:
    return sorted((project.folder / "store").glob("*/*/model/README.md"))


def test_each_trained_model_has_a_card_the_hub_can_read(done: Project) -> None:
    rows = {
        (row.model, row.language): row.value
        for row in scores.read(done.folder / "run" / "scores.jsonl")
        if isinstance(row, scores.Score)
    }
    cards = [ModelCard.load(path) for path in _cards(done)]
    assert len(cards) == 2
    for card in cards:
        assert card.data.language == ["de", "en", "sw"]
        found = {one.dataset_config: one.metric_value for one in card.data.eval_results or []}
        model = (card.data.model_name or "").partition("-")[0]
        for language, value in found.items():
            assert value == pytest.approx(rows[model, str(language)], abs=0.005)
        assert all(one.dataset_type == "mood" for one in card.data.eval_results or [])


def test_a_card_keeps_what_another_study_told(project: Project) -> None:
    for languages in ("en,de", "sw"):
        assert project.run("--output", languages, "--languages", languages).exit_code == 0
    for path in _cards(project):
        found = [one.dataset_config for one in ModelCard.load(path).data.eval_results or []]
        assert found == ["en", "de", "sw"]


def test_a_second_run_reuses_the_models_and_leaves_the_cards(done: Project) -> None:
    before = [(path, path.stat().st_mtime_ns) for path in _cards(done)]
    assert done.run("--output", "run").exit_code == 0
    assert [(path, path.stat().st_mtime_ns) for path in _cards(done)] == before


def test_frames_for_notebooks(done: Project) -> None:
    run = done.folder / "run"
    assert len(dataframes.scores(run)) == ROWS
    gaps = dataframes.gaps(run)
    assert list(gaps["model"]) == ["grams", "most"] or list(gaps["model"]) == ["most", "grams"]
    assert (gaps["gap"] - (gaps["source"] - gaps["mean"])).abs().max() < 1e-9
    assert set(dataframes.languages(run)["language"]) == {"en", "de", "sw"}
    assert (dataframes.comparison(run, run)["difference"] == 0).all()
    assert dataframes.changes(run).empty
