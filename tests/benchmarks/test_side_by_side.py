"""A light comparison with transformers' Trainer, with bounds that a regression by half breaks."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from benchmarks.measurement import Setting
from benchmarks.shapes import write_model
from tests.conftest import REPOSITORY

runner = importlib.import_module("benchmarks.__main__")
_PADDED = {"train wikiann": "Trainer, padded to the maximum",
           "predict wikiann": "Trainer.predict, padded to the maximum"}  # fmt: skip


@pytest.fixture(scope="module")
def setting(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """A small body: what is compared is the padding, and what each example costs by itself."""
    folder = tmp_path_factory.mktemp("side-by-side")
    model = write_model("small", data_root, folder / "model")
    return Setting(data_root, model, folder, scale=0.2)


# Thorough: a bound on time is no test of what was changed.
@pytest.mark.thorough
@pytest.mark.data
@pytest.mark.parametrize("contest", [*_PADDED])
def test_ahead_of_padding_to_the_maximum(
    contest: str, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    rows = runner.run_contest(contest, setting, 1, only=("xharness", _PADDED[contest]))
    assert not [row["error"] for row in rows if row["error"]]
    harness_seconds, padded_seconds = (
        row["processor_seconds"] / row["runs"][0]["amount"] for row in rows
    )
    assert padded_seconds / harness_seconds > 2.5, rows
