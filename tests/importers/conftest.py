"""The catalogue of the project's cards, and tables made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from xharness.gaps.scores import ScoreRow, StatedAverage
from xharness.importers import ImportOptions, read, rows
from xharness.plugin import manager
from xharness.plugin.catalogue import Catalogue

Import = Callable[..., list[ScoreRow | StatedAverage]]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue(manager.load())


@pytest.fixture
def bring(tmp_path: Path, catalogue: Catalogue) -> Import:
    """Rows of a table given as text, as `xharness import` would make them."""

    def bring(
        text: str, name: str = "table.csv", **reading: object
    ) -> list[ScoreRow | StatedAverage]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        imported = read([path], ImportOptions(**reading), catalogue)  # type: ignore[arg-type]
        return rows(imported.reported_scores, catalogue)

    return bring
