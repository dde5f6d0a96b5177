"""Sizes are known from the configuration, and are those that the loaded model counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.families import zoo
from tests.families.conftest import Folder
from tests.hf import tiny
from tests.strategies.running import TINY
from xharness.cli import app
from xharness.errors import ConfigurationError
from xharness.leaderboard.text import parameters
from xharness.plugin.api import RunEnvironment
from xharness_hf.config.options import Options


def _sizes(**options: Any) -> Any:
    return tiny.BACKEND.sizes(Options(**options), RunEnvironment(offline=True))


@pytest.mark.parametrize("family", zoo.EVERY)
def test_sizes_are_those_of_the_loaded_model(family: str, folder: Folder) -> None:
    model_folder = folder(family)
    assert _sizes(path=model_folder) == tiny.start(model_folder).sizes()
    if family in zoo.PAIRED | zoo.DECODERS:
        assert (
            _sizes(path=model_folder, mode="generate")
            == tiny.start(model_folder, mode="generate").sizes()
        )


def test_layers_that_are_left_out_do_not_count(folder: Folder) -> None:
    small, large = (_sizes(path=folder("gemma"), num_layers=count) for count in (1, 2))
    assert small == tiny.start(folder("gemma"), num_layers=1).sizes()
    assert small.embedding == large.embedding
    assert small.total < large.total
    with pytest.raises(ConfigurationError, match="'num_layers' is 3, but the backbone has 2"):
        _sizes(path=folder("gemma"), num_layers=3)


def test_what_is_not_here_has_no_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert _sizes(path=tmp_path / "nowhere") is None
    assert _sizes(hub="org/name") is None


def test_the_list_of_models_tells_sizes_before_anything_ran(folder: Folder, tmp_path: Path) -> None:
    model_folder = folder("bert")
    study = {
        "name": "sizes",
        "models": [
            {"name": "read", "path": str(model_folder)},
            TINY,
            {"name": "away", "path": "nowhere"},
            {"name": "floor", "backend": "majority"},
        ],
        "strategies": ["single"],
        "targets": [{"task": "mini_topic", "languages": ["en"]}],
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    words = ["models", "list", str(tmp_path / "study.yaml"), "--store", str(tmp_path / "store")]
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    rows = {row["model"]: row for row in json.loads(result.stdout)}
    counts = {
        name: [row[key] for key in ("parameters", "embedding", "outside_embedding")]
        for name, row in rows.items()
    }
    loaded = tiny.start(model_folder).sizes()
    assert counts["read"] == [loaded.total, loaded.embedding, loaded.non_embedding]
    assert counts["tiny"][1] == 2500 * 48
    assert counts["away"] == counts["floor"] == [None] * 3
    assert parameters(loaded.total) in CliRunner().invoke(app, words).output
