"""`xharness models list`: the registry, with sizes from configurations where they can be had."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.families import zoo
from tests.hf import tiny
from tests.hf.hubs import GatedRepoError, Hub, new_process, stubbed
from xharness.cli import app
from xharness.plugin.api import RunEnvironment
from xharness.spec import registry
from xharness_hf.config.options import Options

XLMR, MT5, GEMMA, MGTE = (
    "FacebookAI/xlm-roberta-base", "google/mt5-small", "google/gemma-3-270m",
    "Alibaba-NLP/gte-multilingual-mlm-base",
)  # fmt: skip
REMOTE = {"model_type": "new", "auto_map": {"AutoConfig": "configuration.NewConfig"}}


@pytest.fixture
def hub(bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with all of the registry: one sort of model in most places, one gated."""
    stub = stubbed(tmp_path / "hub", monkeypatch)
    text = (bert / "config.json").read_text(encoding="utf-8")
    stub.files = {model.hub: {"config.json": text} for model in registry.models()}
    zoo.EVERY["mt5"](tmp_path / "mt5")
    stub.files[MT5]["config.json"] = (tmp_path / "mt5" / "config.json").read_text()
    stub.files[MGTE]["config.json"] = json.dumps(REMOTE)
    stub.failures[GEMMA] = GatedRepoError()
    yield stub
    new_process()


def _listed(*words: str) -> Result:
    result = CliRunner().invoke(app, ["models", "list", *words])
    assert result.exit_code == 0, result.output
    return result


def _rows(result: Result) -> dict[str, dict[str, Any]]:
    return {row["hub"]: row for row in json.loads(result.stdout)}


def test_configurations_are_fetched_when_asked_for(hub: Hub, bert: Path, tmp_path: Path) -> None:
    result = _listed("--fetch", "--json")
    rows, sizes = _rows(result), tiny.start(bert).sizes()
    row = rows[XLMR]
    assert [row["total"], row["embedding"], row["non_embedding"]] == [
        sizes.total, sizes.embedding, sizes.non_embedding,
    ]  # fmt: skip
    assert row["confidence"] == "configuration"
    assert {file for _, file, _ in hub.asked} == {"config.json"}
    assert len(hub.asked) == len(registry.models())
    both = tiny.BACKEND.sizes(Options(path=tmp_path / "mt5", mode="generate"), RunEnvironment())
    assert rows[MT5]["total"] == both.total > 0  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "reason"), [(GEMMA, "GatedRepoError"), (MGTE, "cannot be read")])
def test_what_cannot_be_had_keeps_the_registry_and_is_told(
    hub: Hub, name: str, reason: str
) -> None:
    result, entry = _listed("--fetch", "--json"), registry.find_model(name)
    assert entry is not None
    assert _rows(result)[name] == entry.model_dump(mode="json")
    (line,) = [
        line for line in result.stderr.splitlines() if line.startswith(f"{entry.name} keeps")
    ]
    assert reason in line
    assert result.stderr.count("keeps the registry's sizes") == 2
    assert f"fetching configurations: {len(registry.models())}" in result.stderr


def test_what_was_fetched_is_read_later_and_nobody_is_asked(hub: Hub) -> None:
    assert {row["confidence"] for row in _rows(_listed("--json")).values()} == {
        "published", "computed", "approximate",
    }  # fmt: skip
    assert hub.asked == hub.resolved == []
    _listed("--fetch")
    new_process()
    request_count = len(hub.asked)
    rows = _rows(_listed("--json"))
    assert rows[XLMR]["confidence"] == "configuration"
    assert rows[GEMMA]["confidence"] == "published"
    assert "configuration" in _listed().stdout
    assert len(hub.asked) == request_count


def test_queries_of_size_ask_the_registry_alone(hub: Hub) -> None:
    _listed("--fetch")
    models = registry.RegistryQuery(min_total=2.5e8, max_total=2.9e8).matching()
    assert XLMR in [model.hub for model in models]


@pytest.mark.parametrize("words", [("--fetch", "--offline"), ("study.yaml", "--fetch")])
def test_fetching_that_makes_no_sense_is_refused(hub: Hub, words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["models", "list", *words])
    assert result.exit_code == 2
    assert "--fetch" in result.stderr and "Traceback" not in result.output
    assert hub.asked == []


def test_an_empty_cache_imports_nothing_heavy(tmp_path: Path) -> None:
    code = """
import sys
from typer.testing import CliRunner
from xharness.cli import app
from xharness.plugin.api import RunEnvironment
assert CliRunner().invoke(app, ["models", "list"]).exit_code == 0
assert not {"torch", "transformers"} & sys.modules.keys()
"""
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
