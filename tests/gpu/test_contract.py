"""The backend keeps on a device the contract that it keeps on a CPU: all task types, saved and
loaded, interrupted and resumed, embedded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hf.trained_once import TrainedOnce
from xharness.plugin.api import Recipe, RunEnvironment
from xharness_hf.plugin import HfBackend


class _OnDevice(HfBackend):
    """Opens models on the tests' device, whatever is asked for."""

    device = "cpu"

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> Any:
        return super().start(options, environment, self.device)

    def load(self, folder: Path, device: str | None) -> Any:
        return super().load(folder, self.device)


class _OnTinyModels(TrainedOnce):
    __test__ = False
    backend = _OnDevice()
    # in float32, where no two answers are equally likely
    recipe = Recipe(epochs=5, learning_rate=8e-3, batch_size=16, max_length=32, precision="fp32")
    family: str

    @pytest.fixture(autouse=True)
    def _place(self, folders: Callable[[str], Path], device: torch.device) -> None:
        _OnDevice.device = str(device)
        type(self).options = {"path": str(folders(self.family)), "num_layers": 1}


class TestEncoder(_OnTinyModels):
    __test__ = True
    family = "bert"


class TestDecoder(_OnTinyModels):
    __test__ = True
    family = "gemma"
    recipe = Recipe(epochs=10, learning_rate=5e-3, batch_size=16, max_length=32, precision="fp32")
