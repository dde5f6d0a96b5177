"""What goes to the hub is told first, sent on demand, and holds no token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import yaml

from tests.cli.project import Project, fresh, invoke
from xharness.errors import without_secrets

TOKEN = "hf_secretsecretsecret"
OPTIONS = ("--store", "store")


class Hub:
    """The hub's own library with the network left out."""

    calls: list[tuple[Any, ...]] = []  # noqa: RUF012
    failure: Exception | None = None

    def create_repo(self, repository: str, **options: Any) -> None:
        if Hub.failure is not None:
            raise Hub.failure
        Hub.calls.append(("repository", repository, options))

    def create_commit(self, repository: str, operations: list[Any], **options: Any) -> Any:
        names = {operation.path_in_repo: operation for operation in operations}
        Hub.calls.append(("commit", repository, names, options))
        return type("Commit", (), {"commit_url": "https://huggingface.co/commit/1"})()


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch) -> None:
    Hub.calls, Hub.failure = [], None
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setenv("HF_TOKEN", TOKEN)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = fresh(tmp_path_factory.mktemp("push"))
    project.study["runtime"] = {"keep": "all"}
    assert project.write().run().exit_code == 0
    return project


def test_without_yes_nothing_is_uploaded(finished: Project) -> None:
    result = invoke(finished.folder, "push", ".", "--to", "me/board", *OPTIONS)
    assert result.exit_code == 0, result.stderr
    assert "scores.jsonl" in result.stdout and "nothing was uploaded" in result.stdout
    assert Hub.calls == []


def test_an_address_that_is_wider_than_its_table_stays_in_one_line(finished: Project) -> None:
    name = f"me/{'long-' * 15}name"
    result = invoke(finished.folder, "push", ".", "--to", name, *OPTIONS)
    assert result.stdout.splitlines()[0] == f"https://huggingface.co/datasets/{name} (dataset)"


def test_a_board_becomes_a_data_set(finished: Project) -> None:
    result = invoke(finished.folder, "push", ".", "--to", "me/board", "--yes", *OPTIONS)
    assert result.exit_code == 0, result.stderr
    (_, _, repository), (_, _, files, _) = Hub.calls
    assert repository["repo_type"] == "dataset"
    assert {"study.yaml", "scores.jsonl", "evidence.parquet", "leaderboard.html"} <= {*files}
    card = files["README.md"].path_or_fileobj.decode()
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["configs"] == [{"config_name": "scores", "data_files": "scores.jsonl"}]
    assert "https://huggingface.co/commit/1" in result.stdout


def test_a_trained_model_goes_with_its_card(finished: Project) -> None:
    words = ("push", ".", "--model", "grams", "--to", "me/grams", "--yes", "--private")
    result = invoke(finished.folder, *words, *OPTIONS)
    assert result.exit_code == 0, result.stderr
    (_, name, repository), (_, _, files, _) = Hub.calls
    assert (name, repository["repo_type"], repository["private"]) == ("me/grams", "model", True)
    card = Path(files["README.md"].path_or_fileobj).read_text(encoding="utf-8")
    (model,) = yaml.safe_load(card.split("---\n")[1])["model-index"]
    languages = {entry["dataset"]["config"] for entry in model["results"]}
    assert languages == {"en", "de", "sw"}
    assert len(files) > 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([".", "--to", "me"], 2, "expected USER/NAME"),
        (["cards", "--to", "me/x"], 2, "there is no board here"),
        ([".", "--model", "none", "--to", "me/x"], 2, "no trained model has scores of model none"),
        ([".", "--strategy", "single", "--to", "me/x"], 2, "2 trained models are like that"),
        (["zzz", "--to", "me/x"], 2, "no stage whose key starts so"),
    ],
)
def test_mistakes_say_what_to_do(
    words: list[str], code: int, message: str, finished: Project
) -> None:
    result = invoke(finished.folder, "push", *words, *OPTIONS)
    assert result.exit_code == code and message in result.stderr
    assert Hub.calls == []


def test_weights_that_went_say_how_to_keep_them(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    assert project.run().exit_code == 0
    words = ("push", ".", "--model", "grams", "--to", "me/x", *OPTIONS)
    result = invoke(project.folder, *words)
    assert result.exit_code == 1 and "keep: all" in result.stderr and "--store" in result.stderr
    # Following it leads there.
    project.study["runtime"] = {"keep": "all"}
    assert project.write().run("--store", "kept").exit_code == 0
    words = ("push", ".", "--model", "grams", "--to", "me/x", "--store", "kept")
    assert invoke(project.folder, *words).exit_code == 0


def test_without_credentials_the_variable_is_named(
    finished: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    result = invoke(finished.folder, "push", ".", "--to", "me/board", "--yes", *OPTIONS)
    assert result.exit_code == 3 and "set HF_TOKEN" in result.stderr


def test_no_token_is_told(finished: Project) -> None:
    Hub.failure = RuntimeError(f"403 for Bearer {TOKEN}")
    result = invoke(finished.folder, "push", ".", "--to", "me/board", "--yes", *OPTIONS)
    assert result.exit_code == 3
    assert TOKEN not in result.stderr + result.stdout and "<HF_TOKEN>" in result.stderr


def test_no_token_is_logged(
    finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xharness_baselines.ngrams import NgramModel

    def fail(*arguments: Any, **options: Any) -> None:
        raise RuntimeError(f"token {TOKEN} refused")

    monkeypatch.setattr(NgramModel, "fit", fail)
    project = fresh(tmp_path)
    result = project.run()
    assert result.exit_code == 1
    logs = [path.read_text(encoding="utf-8") for path in tmp_path.glob("store/*/*/failure.txt")]
    assert logs and not any(TOKEN in text for text in (*logs, project.scores, result.stderr))
    assert all("<HF_TOKEN>" in text for text in logs)
    assert json.loads(project.scores.splitlines()[0])


def test_short_values_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "e")
    assert without_secrets("here") == "here"
