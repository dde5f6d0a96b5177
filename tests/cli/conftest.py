"""The tiny project, fresh for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.project import Project, fresh


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return fresh(tmp_path)


@pytest.fixture
def sluggish(project: Project) -> Project:
    """The project with slow models; wait per step: the variable SLUGGISH, in seconds."""
    project.study["models"] = [
        {"name": "slow", "backend": "sluggish"},
        {"name": "slower", "backend": "sluggish", "parameters": 2},
    ]
    project.study["runtime"] = {"shard": 5}
    return project.write()
