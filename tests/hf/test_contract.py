"""The backend keeps the contract of every backend, with an encoder and with a decoder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hf import tiny
from tests.hf.trained_once import TrainedOnce
from xharness.plugin.api import Recipe


class _OnTinyModels(TrainedOnce):
    __test__ = False
    backend = tiny.BACKEND
    recipe = Recipe(epochs=5, learning_rate=8e-3, batch_size=16, max_length=32)
    family: str

    @pytest.fixture(autouse=True)
    def _place(self, folders: dict[str, Path]) -> None:
        type(self).options = {"path": str(folders[self.family]), "num_layers": 1}


class TestEncoder(_OnTinyModels):
    __test__ = True
    family = "bert"


class TestDecoder(_OnTinyModels):
    __test__ = True
    family = "gemma"
    recipe = Recipe(epochs=10, learning_rate=5e-3, batch_size=16, max_length=32)
