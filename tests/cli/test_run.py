"""`xharness run` from the study to the board."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from tests.cli.project import Project, invoke, sentiment
from xharness.errors import StageError


def test_a_study_becomes_a_board(project: Project) -> None:
    result = project.run()
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in project.scores.splitlines()]
    assert {(row["model"], row["language"]) for row in rows} == {
        (model, language) for model in ("most", "grams") for language in ("en", "de", "sw")
    }
    assert "| grams |" in (project.folder / "leaderboard.md").read_text(encoding="utf-8")
    assert "grams" in result.stdout and "leaderboard.md" in result.stdout
    board = json.loads((project.folder / "leaderboard.json").read_text(encoding="utf-8"))
    assert board["headline"] in result.stdout.splitlines()
    assert "6 ran" in result.stderr
    assert invoke(project.folder, "leaderboard", "check", ".").exit_code == 0


def test_a_second_run_does_nothing(project: Project) -> None:
    project.run()
    scores = project.scores
    result = project.run("--json")
    summary = json.loads(result.stdout)
    assert summary["stages"] == {"ran": 0, "reused": 6, "failed": 0, "skipped": 0}
    assert project.scores == scores


def test_only_the_deleted_targets_stages_run_again(project: Project) -> None:
    project.cards["feeling"] = sentiment("feeling", train_on=["feeling"], labels=["low", "high"])
    project.cards["feeling"]["fields"] = {"text": "text", "label": "place"}
    for path in (project.folder / "data").iterdir():
        text = path.read_text(encoding="utf-8")
        text = text.replace('"bad"}', '"bad", "place": 0}').replace(
            '"good"}', '"good", "place": 1}'
        )
        path.write_text(text, encoding="utf-8")
    project.study["targets"] = ["mood", "feeling"]
    project.write().run()
    scores = project.scores
    for label, receipt in project.receipts().items():
        if "feeling" in label:
            key = receipt["key"]
            shutil.rmtree(project.folder / "store" / key[:2] / key)
    summary = json.loads(project.run("--json").stdout)
    assert summary["stages"] == {"ran": 6, "reused": 6, "failed": 0, "skipped": 0}
    assert project.scores == scores


def test_flags_that_change_the_question_leave_the_board_alone(project: Project) -> None:
    project.run()
    scores = project.scores
    result = project.run("--limit", "7", "--languages", "en,sw", "--seed", "4,5")
    assert result.exit_code == 0, result.stderr
    assert project.scores == scores
    folder = project.folder / "runs" / "small"
    rows = [json.loads(line) for line in (folder / "scores.jsonl").read_text().splitlines()]
    assert {row["language"] for row in rows} == {"en", "sw"}
    assert {row["seed"] for row in rows} == {4, 5}
    assert {row["n"] for row in rows} == {7}
    notes = {note for row in rows for note in row["notes"]}
    assert notes == {"limited: first 7 items", "trained on the first 7 examples of mood"}
    question = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    assert question["seeds"] == [4, 5] and question["train_limit"] == 7
    assert invoke(project.folder, "leaderboard", "check", "runs/small").exit_code == 0


def test_another_split_is_scored_and_noted(project: Project) -> None:
    summary = json.loads(project.run("--split", "train", "--json").stdout)
    assert summary["exit_code"] == 0
    first = (project.folder / "runs" / "small" / "scores.jsonl").read_text().splitlines()[0]
    assert json.loads(first)["notes"] == ["scored on train, not on the card's test"]


def test_a_study_under_another_name_gets_a_folder_of_its_own(project: Project) -> None:
    (project.folder / "study.yaml").rename(project.folder / "mine.yaml")
    words = ["run", "mine.yaml", "--cards", "cards", "--store", "store"]
    assert invoke(project.folder, *words).exit_code == 0
    copied = (project.folder / "mine" / "study.yaml").read_text(encoding="utf-8")
    assert copied.startswith("# asked from mine.yaml; relative paths count from that file's folder")
    assert copied.endswith((project.folder / "mine.yaml").read_text(encoding="utf-8"))
    assert invoke(project.folder, *words, "-o", "there").exit_code == 0
    assert (project.folder / "there" / "leaderboard.md").is_file()


def test_another_studys_folder_is_not_overwritten(project: Project) -> None:
    folder = project.folder / "other"
    folder.mkdir()
    (folder / "study.yaml").write_text("name: precious\n", encoding="utf-8")
    result = project.run("--output", "other")
    assert result.exit_code == 2
    assert "'precious'" in result.stderr and "--output" in result.stderr
    assert not (project.folder / "store").exists()


def test_the_studys_own_store_lies_beside_it(project: Project) -> None:
    project.study["runtime"] = {"store": "stages"}
    project.write()
    result = invoke(project.folder.parent, "run", str(project.folder / "study.yaml"),
                    "--cards", str(project.folder / "cards"))  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert list(project.folder.glob("stages/*/*/receipt.json"))


def test_an_executor_comes_from_a_plugin(project: Project) -> None:
    (project.folder / "mine.py").write_text(
        "from xharness.executor.sequential import SequentialExecutor\n"
        "from xharness import hookimpl\n"
        "class Mine(SequentialExecutor):\n"
        "    name = 'mine'\n"
        "@hookimpl\n"
        "def xharness_executors():\n"
        "    return [Mine()]\n",
        encoding="utf-8",
    )
    assert project.run("--plugin", "mine.py", "--executor", "mine").exit_code == 0
    result = project.run("--executor", "mind")
    assert result.exit_code == 2 and "there is no executor 'mind'" in result.stderr
    assert "known: ray, sequential" in project.run("--executor", "slurm").stderr


def test_a_damaged_file_is_told_and_made_again(project: Project) -> None:
    project.run()
    good_scores = project.scores
    key = project.receipts()["grams · score mood · single · seed 1"]["key"]
    path = project.folder / "store" / key[:2] / key / "scores.json"
    path.write_text("{", encoding="utf-8")
    result = project.run()
    assert result.exit_code == 0
    assert f"{path.parent}: damaged; moved to " in result.stderr
    assert "and done again" in result.stderr
    assert project.scores == good_scores


def test_a_run_that_failed_leaves_good_rows_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StageError("no answers today")

    assert project.run().exit_code == 0
    good_scores, good_board = project.scores, (project.folder / "leaderboard.md").read_text()
    for label, receipt in project.receipts().items():
        if label.startswith(("grams · score", "grams · predict")):
            shutil.rmtree(project.folder / "store" / receipt["key"][:2] / receipt["key"])
    monkeypatch.setattr("xharness_baselines.model.CountingModel.predict", fails)
    result = project.run()
    assert result.exit_code == 1
    assert "grams · predict" in result.stderr and "no answers today" in result.stderr
    assert "scores.jsonl stays as it is: this run lacks 3 scores" in result.stderr
    assert project.scores == good_scores
    assert (project.folder / "leaderboard.md").read_text() == good_board
    incomplete = (project.folder / "incomplete" / "scores.jsonl").read_text(encoding="utf-8")
    assert '"model": "most"' in incomplete and "no answers today" in incomplete


def test_a_language_whose_data_are_gone_costs_no_score(project: Project) -> None:
    project.run()
    good_scores = project.scores
    (project.folder / "data" / "mood.sw.test.jsonl").unlink()
    assert project.run().exit_code == 3
    assert project.scores == good_scores


def test_imported_rows_outlive_the_next_run(project: Project) -> None:
    project.run()
    table = (
        "task,metric,model,language,score\nmood,accuracy,theirs,de,70\nmood,accuracy,theirs,,71\n"
    )
    (project.folder / "table.csv").write_text(table, encoding="utf-8")
    words = ("import", "table.csv", "--to", ".", "--cards", "cards")
    assert invoke(project.folder, *words).exit_code == 0
    rows = project.scores.splitlines()
    assert project.run().exit_code == 0
    assert sorted(project.scores.splitlines()) == sorted(rows)
    assert sum("theirs" in row for row in rows) == 2


def test_nothing_is_written_before_everything_is_collected(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise StageError("odd")

    monkeypatch.setattr("xharness.session.outputs.collect_items", damaged)
    assert project.run("-o", "there").exit_code == 1
    assert not any((project.folder / "there").iterdir())


def test_the_exit_code_outlives_its_reader(project: Project) -> None:
    (project.folder / "data" / "mood.sw.test.jsonl").unlink()
    for words in (("run",), ("run", "--json"), ("plan",)):
        process = project.start(*project.words(*words))
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        summary = process.stderr.read()
        assert process.wait(timeout=60) == 3, summary
        assert "BrokenPipe" not in summary
        process.stderr.close()
