"""The least that a contestant can be given."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.measurement import Setting
from benchmarks.shapes import write_model
from tests.families import zoo


@pytest.fixture(scope="session")
def setting(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """As little work as there can be."""
    folder = tmp_path_factory.mktemp("contests")
    model = write_model("small", data_root, folder / "model")
    return Setting(data_root, model, folder, scale=1e-4, decoder=zoo.gemma(folder / "decoder"))
