"""The device of these tests: a GPU, or for the tests' own sake what XHARNESS_TEST_DEVICE names.

`XHARNESS_TEST_DEVICE=cpu pytest tests/gpu` runs on a CPU what can run there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.families import zoo
from tests.hf import tiny
from xharness.plugin.api import RunEnvironment
from xharness_hf.backbone.precision import device_of
from xharness_hf.config.options import Options

# before CUDA begins: without it no product is the same twice
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

Start = Callable[..., Any]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything in this folder is marked `gpu`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The device, with its index."""
    name = os.environ.get("XHARNESS_TEST_DEVICE")
    if name is None and not torch.cuda.is_available():
        pytest.skip("no CUDA device here; XHARNESS_TEST_DEVICE=cpu runs these tests on a CPU")
    return device_of(name or "cuda")


@pytest.fixture(scope="session")
def on_gpu(device: torch.device) -> bool:
    """Whether the device is a GPU."""
    return device.type == "cuda"


@pytest.fixture(autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _free_memory(device: torch.device) -> Iterator[None]:
    yield
    if device.type == "cuda":
        torch.cuda.empty_cache()


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model of a family, made when it is first asked for.

    `bert` keeps its dropout; `undropped` has none, so that a batch may be cut anywhere.
    """
    root, folders = tmp_path_factory.mktemp("models"), dict[str, Path]()
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    makers = zoo.EVERY | {"undropped": lambda folder: tiny.bert(folder, **no_dropout)}

    def folder(family: str) -> Path:
        if family not in folders:
            folders[family] = makers[family](root / family)
        return folders[family]

    return folder


@pytest.fixture
def start(device: torch.device, folders: Callable[[str], Path]) -> Start:
    """The model of a family on the device, or where `where` says."""

    def model(family: str, device_name: str | None = None, **options: Any) -> Any:
        model_options = Options(path=folders(family), **options)
        return tiny.BACKEND.start(
            model_options, RunEnvironment(offline=True), device_name or str(device)
        )

    return model
