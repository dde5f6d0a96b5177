"""What several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of public benchmark data; tests that need it skip where it is absent."""
    root = Path(os.environ.get("XHARNESS_DATA_ROOT", REPOSITORY.parent / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no public benchmark data at {root}; set XHARNESS_DATA_ROOT")
    return root
