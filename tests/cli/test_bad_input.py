"""Bad input gets a message and an exit code, never a traceback or a half-written result."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.cli.project import Project, invoke, sentiment


def _refused(result: Result, code: int, *messages: str) -> None:
    """It ended with `code` and one clear message on standard error."""
    assert result.exit_code == code, result.stderr
    for message in messages:
        assert message in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_malformed_yaml_names_line_and_column(project: Project) -> None:
    (project.folder / "study.yaml").write_text(
        "name: small\nmodels: [a\nseeds: 1", encoding="utf-8"
    )
    _refused(project.run(), 2, "study.yaml:3:", "not valid YAML")


def test_a_missing_study(project: Project) -> None:
    result = invoke(project.folder, "run", "stduy.yaml")
    _refused(result, 2, "stduy.yaml: there is no such file")


def test_languages_of_a_flag_hide_no_line(project: Project) -> None:
    project.study |= {"strategies": ["singel"], "targets": ["moood"]}
    result = project.write().run("--languages", "de")
    _refused(result, 2, "targets.0: there is no task card", "study.yaml:", "'singel'")
    assert "--languages" not in result.stderr


def test_cards_that_strategies_name_are_told_with_the_rest(project: Project) -> None:
    project.study |= {
        "strategies": [
            {"intermediate": {"tasks": ["moodd"], "mlm": {"corpus": "x", "ratio": 0.1}}}
        ],
        "targets": ["moood"],
        "seeds": ["one"],
    }
    messages = ("tasks.0: there is no task card 'moodd'", "mlm.corpus: there is no task card 'x'")
    _refused(project.write().run(), 2, *messages, "or group 'moood'", "seeds.0: a whole number")


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"targets": ["moood"]}, ["no task card or group 'moood'", "did you mean 'mood'?"]),
        ({"strategies": ["singel"]}, ["no strategy 'singel'", "did you mean 'single'?"]),
        (
            {"models": [{"name": "a", "backend": "majorty"}]},
            ["no backend 'majorty'", "did you mean 'majority'?"],
        ),
        (
            {"models": [{"name": "a", "backend": "ngrams", "bit": 8}]},
            ["model 'a'", "unknown key 'bit'", "did you mean 'bits'?"],
        ),
        ({"sedes": [1]}, ["unknown key 'sedes'", "did you mean 'seeds'?"]),
        ({"targets": [{"task": "mood", "languages": ["no"]}]}, ["has no language 'no'"]),
        ({"recipe": {"epochs": -1}}, ["study.yaml:", "recipe.epochs", "a number above 0"]),
    ],
)
def test_unknown_names_and_values(project: Project, change: Any, messages: list[str]) -> None:
    project.study |= change
    _refused(project.write().run(), 2, *messages)
    assert not (project.folder / "scores.jsonl").exists()


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        ("en,xx", "no target has the language 'xx'"),
        ("script:Thai", "no target has the language 'script:Thai'"),
        ("script:Cyril", "did you mean 'Cyrl'?"),
        ("English", "'English' is neither a language code nor script:NAME nor family:NAME"),
    ],
)
def test_an_unknown_language_flag(project: Project, languages: str, message: str) -> None:
    _refused(project.run("--languages", languages), 2, "--languages: ", message)


def test_a_recipe_that_no_card_has(project: Project) -> None:
    project.study |= {"recipe": "xtrem"}
    message = "no task of this study has a recipe 'xtrem'"
    _refused(project.write().run(), 2, "study.yaml:", message)


def test_a_bare_no_is_not_norwegian(project: Project) -> None:
    path = project.folder / "cards" / "mood.yaml"
    text = path.read_text(encoding="utf-8").replace("- sw", "- no")
    path.write_text(text, encoding="utf-8")
    _refused(project.run(), 2, "mood.yaml:", "YAML 1.1", "quotes")


def test_a_data_root_or_card_folder_that_is_not_there(project: Project) -> None:
    _refused(project.run("--data-root", "nowhere"), 2, "nowhere: the data root is not a folder")
    _refused(project.run("--cards", "nowhere"), 2, "nowhere: there is no such folder")


def test_columns_that_the_data_does_not_have(project: Project) -> None:
    project.cards["mood"]["fields"] = {"text": "txt", "label": "label"}
    result = project.write().run()
    _refused(result, 3, "no column 'txt'", "did you mean 'text'?", "failure.txt")


def test_a_label_outside_the_set(project: Project) -> None:
    project.cards["mood"]["labels"] = ["awful", "good"]
    _refused(project.write().run(), 3, "label 'bad' is outside the card's set", "awful, good")


def test_an_empty_split(project: Project) -> None:
    (project.folder / "data" / "mood.en.train.jsonl").write_text("", encoding="utf-8")
    _refused(project.run(), 3, "expected at least one", "mood.en.train.jsonl")


def test_a_missing_language_leaves_the_others(project: Project) -> None:
    (project.folder / "data" / "mood.sw.test.jsonl").unlink()
    result = project.run()
    _refused(result, 3, "missing", "sw", "there is no such file")
    assert "mood: did you mean 'mood.en.test.jsonl'?; paths count from" in result.stderr
    assert '"language": "de"' in project.scores
    assert '"reason": ' in project.scores


def test_nothing_that_could_be_run(project: Project) -> None:
    for path in (project.folder / "data").iterdir():
        path.unlink()
    result = project.run()
    _refused(result, 3, "nothing can be run", "there is no such file")
    assert "mood: paths count from the study's folder, else from the data root" in result.stderr
    assert not (project.folder / "scores.jsonl").exists()
    summary = json.loads(project.run("--json").stdout)
    assert summary["exit_code"] == 3 and summary["files"] == [] and len(summary["missing"]) == 2


def test_a_task_type_that_no_model_can_answer(project: Project) -> None:
    project.study["models"] = [{"name": "most", "backend": "majority"}]
    project.cards["mood"] |= {
        "task_type": "bitext_retrieval",
        "metrics": ["accuracy"],
        "labels": None,
    }
    project.cards["mood"]["fields"] = {"source": "text", "target": "label"}
    result = project.write().run()
    _refused(result, 2, "backend 'majority' cannot answer tasks of type 'bitext_retrieval'")


def test_partial_data_is_refused_when_asked(project: Project) -> None:
    project.cards["mood"]["rows"] = {"train": 40, "test": 21}
    project.write()
    _refused(project.run("--strict-data"), 3, "partial data: mood en test: 20 rows, 21 expected")
    assert project.run().exit_code == 0
    assert "partial data: test has 20 of 21 rows" in project.scores


def test_a_store_that_is_no_folder(project: Project) -> None:
    (project.folder / "store").write_text("", encoding="utf-8")
    _refused(project.run(), 2, "store: cannot be written", "--store")


def test_a_read_only_store(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    _refused(project.run(), 2, "store: cannot be written: Read-only file system")


def test_a_disk_that_fills_up(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("xharness.executor.score.write_json", refuse)
    _refused(project.run(), 1, "No space left on device", "free some space")


def test_two_cards_of_one_name(project: Project) -> None:
    second_folder = project.folder / "more"
    second_folder.mkdir()
    (project.folder / "cards" / "mood.yaml").rename(second_folder / "mood.yaml")
    project.cards = {"mood": sentiment()}
    result = project.write().run("--cards", "more")
    _refused(result, 2, "'mood' stands in two files: cards/mood.yaml and more/mood.yaml")
