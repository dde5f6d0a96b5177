"""Tiny models, written once for all tests of the backend."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.hf import tiny


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder with a tiny model of each family."""
    root = tmp_path_factory.mktemp("models")
    return {name: make(root / name) for name, make in tiny.FAMILIES.items()}


@pytest.fixture
def bert(folders: dict[str, Path]) -> Path:
    """A tiny BERT."""
    return folders["bert"]
