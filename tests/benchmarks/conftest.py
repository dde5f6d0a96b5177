"""The least that a contestant can be given."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from benchmarks.measured import Setting
from tests.families import zoo


@pytest.fixture(scope="session")
def setting(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """As little work as there can be."""
    folder = tmp_path_factory.mktemp("contests")
    model = importlib.import_module("benchmarks.__main__").made(
        "small", data_root, folder / "model"
    )
    return Setting(data_root, model, folder, scale=1e-4, decoder=zoo.gemma(folder / "decoder"))
