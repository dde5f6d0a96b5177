"""The tiny project, fresh for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.project import Project, sentiment, small_study, write_data


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_data(tmp_path)
    return Project(tmp_path, small_study(), {"mood": sentiment()}).write()


@pytest.fixture
def sluggish(project: Project) -> Project:
    """The project with slow models; wait per step: the variable SLUGGISH, in seconds."""
    project.study["models"] = [
        {"name": "slow", "backend": "sluggish"},
        {"name": "slower", "backend": "sluggish", "size": 2},
    ]
    project.study["runtime"] = {"shard": 5}
    return project.write()
