"""`xharness export`: scoring what it writes gives the run's own numbers, exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.project import invoke
from tests.submission import searched

MINI = ("mini_topic", "mini_choice", "mini_ner", "mini_pos", "mini_qa", "mini_bitext")
REAL = {
    "xnli": "validation", "xcopa": "test", "wikiann": "validation", "udpos": "validation",
    "xquad": "validation", "mlqa": "validation", "tydiqa": "validation", "tatoeba": "test",
    "pawsx": "validation", "lareqa": "test", "bucc": "validation",
}  # fmt: skip
LANGUAGES = {
    "mini_topic": ["en", "de"], "mini_choice": ["en", "de"], "mini_ner": ["en", "de"],
    "mini_pos": ["en", "de"], "mini_qa": ["en", "de"], "mini_bitext": ["de", "sw"],
    "xnli": ["en", "sw"], "xcopa": ["et", "sw"], "wikiann": ["en", "sw"], "udpos": ["en", "wo"],
    "asked": ["en", "de"], "mined_tuned": ["en", "de"],
    "xquad": ["en", "zh"], "mlqa": ["en", "ar"], "tydiqa": ["en", "sw"], "tatoeba": ["jv", "sw"],
    "pawsx": ["en", "ko"], "lareqa": ["en", "de"], "bucc": ["zh"],
}  # fmt: skip
LIMITS = {"bucc": 2000}  # few of its sentences have a translation


def prepare(folder: Path, splits: dict[str, str | None], limit: int, **changes: Any) -> None:
    """A study of one baseline, and a suite of just what it scores."""
    targets = [
        {"task": task, "languages": LANGUAGES[task], "limit": LIMITS.get(task, limit)}
        | ({"split": split} if split else {})
        for task, split in splits.items()
    ]
    study = {
        "name": "tried",
        "models": [{"name": "grams", "backend": "ngrams", "bits": 10}],
        "strategies": ["single"],
        "targets": targets,
        "train_limit": limit,
    } | changes
    (folder / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    suite = {
        "title": "Tried",
        "tasks": [{"task": task, "languages": LANGUAGES[task]} for task in splits],
        "families": {"all": [*splits]},
    }
    (folder / "cards").mkdir(exist_ok=True)
    (folder / "cards" / "groups.yaml").write_text(yaml.safe_dump({"groups": {"tried": suite}}))


def run(folder: Path, *words: str) -> None:
    """Only the predictions and scores matter here, not the board."""
    result = invoke(
        folder, "run", "study.yaml", "--store", "store", "--cards", "cards", "-q", *words
    )
    assert result.exit_code == 0, result.stderr


def export(folder: Path, *words: str) -> Any:
    options = ["--suite", "tried", "--cards", "cards", "--store", "store"]
    return invoke(folder, "export", ".", "--to", "mine", *options, *words)


def score(folder: Path) -> dict[tuple[str, str, str], float]:
    """(task, language, metric) to points, as `xharness score` finds them."""
    options = ["--predictions", "mine", "--labels", "gold", "--json", "found.json"]
    result = invoke(folder, "score", "--suite", "tried", "--cards", "cards", *options)
    assert result.exit_code == 0, result.stderr
    scores_found = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    return {
        (task, code, metric): value
        for task, languages in scores_found["tasks"].items()
        for code, values in languages.items()
        for metric, value in values.items()
        if metric != "items"
    }


def own_numbers(folder: Path) -> dict[tuple[str, str, str], float]:
    """What the run itself scored on the suite's tasks; XCOPA's source score comes from COPA."""
    lines = (folder / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        (row["task"], row["language"], row["metric"]): row["value"]
        for row in rows
        if row["task"] in LANGUAGES
    }


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mini")
    prepare(folder, dict.fromkeys(MINI), 20)
    run(folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_made_up_tasks_there_and_back(mini: Path) -> None:
    result = export(mini, "--labels", "gold")
    assert result.exit_code == 0, result.stderr
    assert score(mini) == own_numbers(mini)
    assert {name.partition("/")[0] for name in files(mini / "mine")} == {*MINI}
    assert "2 of 2" in result.stdout
    assert "limited: first 20 items" in result.stderr


def test_real_tasks_there_and_back(tmp_path: Path, data_root: Path) -> None:
    prepare(tmp_path, dict(REAL), 25)
    run(tmp_path, "--data-root", str(data_root), "--offline")
    result = export(tmp_path, "--labels", "gold", "--data-root", str(data_root), "--offline")
    assert result.exit_code == 0, result.stderr
    assert score(tmp_path) == own_numbers(tmp_path)
    exported_files = files(tmp_path / "mine")
    assert {*exported_files} == {*files(tmp_path / "gold")}
    assert "panx/test-sw.tsv" in exported_files and "xcopa/test-et.jsonl" in exported_files
    assert "tydiqa/test-sw.json" in exported_files
    assert "scored on validation, not on the card's test" in result.stderr
    labels = {"entailment", "neutral", "contradiction"}
    assert {*exported_files["xnli/test-en.tsv"].decode().split()} <= labels


def test_tasks_that_search_there_and_back(tmp_path: Path) -> None:
    searched.write(tmp_path)
    prepare(tmp_path, dict.fromkeys(["asked", "mined_tuned"]), 100)
    run(tmp_path)
    result = export(tmp_path, "--labels", "gold")
    assert result.exit_code == 0, result.stderr
    scores_found = score(tmp_path)
    assert scores_found == own_numbers(tmp_path)
    assert all(0 < value < 100 for value in scores_found.values())


def test_english_sentences_stand_in_the_order_of_their_texts(mini: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    export(mini, "--to", str(target), "--labels", str(tmp_path / "gold"))
    golds = (tmp_path / "gold" / "mini_bitext" / "test-de.tsv").read_text().split()
    assert sorted(map(int, golds)) == [*range(20)]
    assert golds != sorted(golds, key=int)


def refused(folder: Path, code: int, *words: str) -> str:
    old_files = files(folder)
    result = export(folder, *words)
    assert result.exit_code == code, result.output
    assert files(folder) == old_files
    assert "Traceback" not in result.stderr
    return str(result.stderr)


def test_folders_that_hold_something_are_left_alone(mini: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "thesis.txt").write_text("precious")
    message = refused(mini, 2, "--to", str(tmp_path / "kept"))
    assert "something is here already" in message
    new = str(tmp_path / "new")
    assert "a folder each" in refused(mini, 2, "--to", new, "--labels", new)
    assert "a folder each" in refused(mini, 2, "--to", new, "--labels", f"{new}/gold")
    refused(mini, 2, "--to", new, "--labels", str(tmp_path / "kept"))
    assert [*tmp_path.iterdir()] == [tmp_path / "kept"]


def test_an_unknown_arm_or_suite(mini: Path, tmp_path: Path) -> None:
    new = ("--to", str(tmp_path / "new"))
    assert "the run has no model 'gram'" in refused(mini, 2, *new, "--model", "gram")
    assert "the run has no seed '7'" in refused(mini, 2, *new, "--seed", "7")
    assert "there is no suite 'tired'" in refused(mini, 2, *new, "--suite", "tired")


def test_a_store_that_lacks_the_run(mini: Path, tmp_path: Path) -> None:
    message = refused(mini, 1, "--to", str(tmp_path / "new"), "--store", str(tmp_path))
    assert "is not stored here" in message and "--store" in message


def test_a_folder_without_scores(tmp_path: Path) -> None:
    result = invoke(tmp_path, "export", ".", "--suite", "tried", "--to", "mine")
    assert result.exit_code == 2


def test_several_arms_must_be_chosen_from(tmp_path: Path) -> None:
    models = [{"name": "grams", "backend": "ngrams"}, {"name": "most", "backend": "majority"}]
    prepare(tmp_path, {"mini_topic": None}, 10, models=models)
    run(tmp_path)
    message = refused(tmp_path, 2)
    assert "the run has 2 models" in message and "choose one with --model: grams, most" in message
    assert export(tmp_path, "--model", "most").exit_code == 0


def test_other_data_than_was_answered_is_refused(tmp_path: Path) -> None:
    """The labels would not give the run's numbers again."""
    from tests.cli.project import Project, sentiment, small_study, write_data

    write_data(tmp_path)
    study = small_study() | {"models": [{"name": "most", "backend": "majority"}]}
    project = Project(tmp_path, study, {"mood": sentiment()}).write()
    suite = {"title": "Mood", "tasks": ["mood"], "families": {"all": ["mood"]}}
    groups = yaml.safe_dump({"groups": {"tried": suite}})
    (tmp_path / "cards" / "groups.yaml").write_text(groups)
    assert project.run().exit_code == 0
    data = tmp_path / "data" / "mood.de.test.jsonl"
    rows = [json.loads(line) for line in data.read_text(encoding="utf-8").splitlines()]
    for row in rows[:7]:
        row["label"] = "good"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert "the data at hand is not what was answered in mood de" in refused(tmp_path, 3)
