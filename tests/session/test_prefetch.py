"""What a study reads, listed and fetched from a stub hub; afterwards no network is needed."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from tests.cli.project import Project, fresh, invoke, sentiment
from tests.hf import tiny
from tests.hf.hubs import new_process

COMMIT = "c" * 40
README = """---
configs:
- config_name: mood
  data_files: [{split: train, path: train.parquet}, {split: test, path: test.parquet}]
---
"""


@dataclass
class Hub:
    """Published folders by id; copies go into the cache, nothing comes once it is unplugged."""

    published: Path
    cache: Path
    plugged: bool = True
    asked: list[str] = field(default_factory=list)

    def _info(self, name: str, **options: Any) -> Any:
        self._ask(name)
        files = [path for path in (self.published / name).rglob("*") if path.is_file()]
        siblings = [
            SimpleNamespace(rfilename=file.name, size=file.stat().st_size) for file in files
        ]
        return SimpleNamespace(sha=COMMIT, siblings=siblings)

    model_info = dataset_info = _info

    def hf_hub_download(self, name: str, file: str, *, revision: str) -> str:
        return str(
            Path(self.snapshot_download(name, revision=revision, allow_patterns=[file]), file)
        )

    def snapshot_download(
        self, name: str, *, revision: str, allow_patterns: list[str] | None,
        repo_type: str = "model", local_files_only: bool = False,
    ) -> str:  # fmt: skip
        folder = self.cache / f"{repo_type}s--{name.replace('/', '--')}" / "snapshots" / revision
        if local_files_only:
            return str(folder)
        self._ask(name)
        folder.mkdir(parents=True, exist_ok=True)
        for path in (self.published / name).iterdir():
            if allow_patterns is None or any(fnmatchcase(path.name, p) for p in allow_patterns):
                shutil.copyfile(path, folder / path.name)
        return str(folder)

    def _ask(self, name: str) -> None:
        assert self.plugged, f"the hub was asked for {name}"
        self.asked.append(name)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(tmp_path / "published", tmp_path / "cache")
    tiny.bert(hub.published / "org" / "tiny")
    folder = hub.published / "org" / "moods"
    folder.mkdir()
    (folder / "README.md").write_text(README)
    for split, count in {"train": 8, "test": 4}.items():
        columns = {
            "text": [f"{split} {n}" for n in range(count)],
            "label": ["good", "bad"] * (count // 2),
        }
        pq.write_table(pa.table(columns), folder / f"{split}.parquet")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub.cache))
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")
    new_process()
    return hub


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "study"
    folder.mkdir()
    project = fresh(folder)
    source = {
        "from": "hub",
        "id": "org/moods",
        "config": "mood",
        "splits": {"train": "train", "test": "test"},
    }
    rows = {"train": 8, "test": 4}
    project.cards["mood"] = sentiment(sources=[source], languages=["en"], rows=rows)
    project.study["models"] = [{"name": "tiny", "backend": "hf", "hub": "org/tiny"}]
    project.study["recipe"] = {"steps": 1, "batch_size": 2}
    return project.write()


def _rows(project: Project, *words: str) -> tuple[int, list[dict[str, Any]]]:
    result = invoke(project.folder, *project.words("prefetch", *words), "--json")
    return result.exit_code, json.loads(result.stdout)


def test_what_would_be_fetched_is_listed_with_its_size(hub: Hub, project: Project) -> None:
    code, rows = _rows(project, "--list")
    assert code == 0
    sizes = {row["name"]: (row["files"], row["bytes"]) for row in rows}
    data = [hub.published / "org/moods" / f"{split}.parquet" for split in ("train", "test")]
    assert sizes["data set org/moods"] == (2, sum(file.stat().st_size for file in data))
    weights = (hub.published / "org/tiny/model.safetensors").stat().st_size
    files, total = sizes["org/tiny"]
    assert total > weights and files >= 2
    assert not [*hub.cache.rglob("*.safetensors")] and not [*hub.cache.rglob("*.parquet")]
    assert not (project.folder / "xharness.lock").exists()


def test_afterwards_a_run_needs_no_network(hub: Hub, project: Project) -> None:
    assert _rows(project) == (0, [])
    lock = json.loads((project.folder / "xharness.lock").read_text())
    files = lock["datasets"]["org/moods@main"]["files"]
    assert set(files) == {"train.parquet", "test.parquet"}
    assert _rows(project, "--list") == (0, [])
    hub.plugged = False
    new_process()
    result = project.run("--offline")
    assert result.exit_code == 0, result.output
    assert _rows(project, "--list", "--offline") == (0, [])


def test_other_numbers_of_rows_and_changed_files_are_told(hub: Hub, project: Project) -> None:
    project.cards["mood"]["rows"] = {"train": 8, "test": 5}
    project.write()
    code, (row,) = _rows(project)
    assert (code, row["name"]) == (3, "mood, en, test")
    assert "partial data: mood en test: 4 rows, 5 expected" in row["problem"]
    path = project.folder / "xharness.lock"
    path.write_text(path.read_text().replace('"train.parquet": "', '"train.parquet": "0'))
    code, rows = _rows(project)
    problems = {row["name"]: row["problem"] for row in rows}
    assert "has changed since it was first downloaded" in problems["mood, en, train"]


def test_what_cannot_be_had_is_told_once(hub: Hub, project: Project) -> None:
    code, rows = _rows(project, "--list", "--offline")
    assert code == 3
    assert [row["name"] for row in rows] == [
        "model org/tiny", "mood, en, train; mood, en, test",
    ]  # fmt: skip
