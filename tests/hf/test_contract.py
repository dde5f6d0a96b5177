"""The backend keeps the contract of every backend, with an encoder and with a decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.hf import tiny
from xharness.plugin.api import Model, Recipe
from xharness.testing import BackendContract

_TRAINED: dict[tuple[str, str], Model] = {}


class _OnTinyModels(BackendContract):
    __test__ = False
    backend = tiny.BACKEND
    recipe = Recipe(epochs=5, learning_rate=8e-3, batch_size=16, max_length=32)
    family: str

    @pytest.fixture(autouse=True)
    def _place(self, folders: dict[str, Path]) -> None:
        type(self).options = {"path": str(folders[self.family]), "num_layers": 1}

    def _trained(self, kind: str, folder: Path, progress: Any = None) -> Model:
        if folder.name != kind:
            return super()._trained(kind, folder, progress)
        # trainings are equal to the bit (test_training.py), so once is enough
        if (self.family, kind) not in _TRAINED:
            _TRAINED[self.family, kind] = super()._trained(kind, folder, progress)
        return _TRAINED[self.family, kind]


class TestEncoder(_OnTinyModels):
    __test__ = True
    family = "bert"


class TestDecoder(_OnTinyModels):
    __test__ = True
    family = "gemma"
    recipe = Recipe(epochs=10, learning_rate=5e-3, batch_size=16, max_length=32)
