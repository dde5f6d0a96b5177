"""Weights go when nothing needs them any more, and are made again when something does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.project import Project, fresh, invoke
from xharness.session.store_contents import contents


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = fresh(tmp_path)
    project.study["models"] = [{"name": "grams", "backend": "ngrams", "bits": 8}]
    project.study["strategies"] = [
        "single",
        {"name": "twice", "strategy": "intermediate", "tasks": ["mood"]},
    ]
    return project


def _models(project: Project) -> int:
    return len([*project.folder.glob("store/*/*/model")])


def _run(project: Project, keep: str, *words: str) -> dict[str, int]:
    project.study["runtime"] = {"keep": keep}
    project.write()
    result = invoke(project.folder, *project.words("run", "--json", *words))
    assert result.exit_code == 0, result.stderr
    counts: dict[str, int] = json.loads(result.stdout)["stages"]
    return counts


@pytest.mark.parametrize(("keep", "count"), [("none", 0), ("last", 2), ("all", 2)])
def test_what_stays(project: Project, keep: str, count: int) -> None:
    _run(project, keep)
    assert _models(project) == count


def test_scores_do_not_hang_on_it_and_nothing_is_done_again(project: Project) -> None:
    first = _run(project, "all")
    scores = project.scores
    assert _models(project) > 0
    second = _run(project, "none")
    assert second == {"ran": 0, "reused": first["ran"], "failed": 0, "skipped": 0}
    assert _models(project) == 0
    assert project.scores == scores
    assert _run(project, "none")["ran"] == 0


def test_a_later_study_that_needs_the_model_makes_it_again(project: Project) -> None:
    _run(project, "none")
    counts = _run(project, "none", "--languages", "en,de", "--limit", "5")
    assert counts["ran"] > 0
    _run(project, "none")
    project.study["targets"] = [{"task": "mood", "limit": 7}]
    counts = _run(project, "none")
    assert counts["ran"] == 2 * 3  # both trainings again, and their answers and scores
    assert _models(project) == 0


def test_a_store_is_listed_verified_pruned_and_moved(project: Project) -> None:
    _run(project, "all")
    store = project.folder / "store"

    def call(*words: str) -> tuple[int, str]:
        result = invoke(project.folder, "store", *words)
        return result.exit_code, result.stdout

    rows = json.loads(call("list", "--store", "store", "--json")[1])
    assert [row["state"] for row in rows] == ["finished"] * len(rows) and len(rows) > 5
    assert [row["size"] for row in rows] == sorted((row["size"] for row in rows), reverse=True)
    assert call("verify", "--store", "store") == (0, "every file is what was stored\n")
    (store / "ab" / "abandoned" / "unfinished").mkdir(parents=True)
    (store / "ab" / "abandoned" / "unfinished" / "half").write_bytes(b"x" * 3_000_000)
    assert call("prune", "--store", "store", "--dry-run") == (0, "3.0 MB would be free\n")
    assert (store / "ab" / "abandoned").exists()
    assert call("prune", "--store", "store", "--weights")[0] == 0
    assert not (store / "ab" / "abandoned").exists()
    assert _models(project) == 0
    next(store.glob("*/*/predictions/en.parquet")).write_bytes(b"")
    code, text = call("verify", "--store", "store")
    assert code == 1 and "not the one that was stored" in text
    assert call("move", "elsewhere", "--store", "store")[0] == 0
    assert not store.exists() and (project.folder / "elsewhere").is_dir()
    result = invoke(project.folder, "store", "move", "elsewhere", "--store", "elsewhere")
    assert result.exit_code == 2 and "there is something already" in result.stderr


def test_a_body_that_lies_beside_two_adapters_is_counted_once(tmp_path: Path) -> None:
    folders = [tmp_path / "ab" / name / "model" for name in ("first", "second")]
    for folder in folders:
        folder.mkdir(parents=True)
    (folders[0] / "body").write_bytes(b"x" * 1000)
    (folders[1] / "body").hardlink_to(folders[0] / "body")
    assert [stage.bytes for stage in contents(tmp_path)] == [500, 500]
