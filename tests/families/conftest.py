"""Tiny models of every family, each written when a test first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.families import zoo

Folder = Callable[[str], Path]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The folder of a family's tiny model."""
    root, written_families = tmp_path_factory.mktemp("families"), set[str]()

    def made(name: str) -> Path:
        if name not in written_families:
            written_families.add(name)
            zoo.EVERY[name](root / name)
        return root / name

    return made
