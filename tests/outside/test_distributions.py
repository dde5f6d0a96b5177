"""The wheel and the source distribution have what they should, and nothing else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.outside.test_outside import pip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(REPOSITORY))
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return folder


def _sources() -> set[str]:
    """What the repository has for the package, by its path in the wheel."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    folders = ["harness", "plugins", "task_cards"]
    lines = subprocess.check_output([*command, *folders], cwd=REPOSITORY, text=True).splitlines()
    existing = [path for path in lines if (REPOSITORY / path).is_file()]
    return {
        f"xharness/{path}" if path.startswith("task_cards/") else path.partition("/")[2]
        for path in existing
    }


def test_the_wheel_has_every_file_of_the_packages(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == _sources()
    packages = {name.partition("/")[0] for name in names}
    assert {f"{package}/py.typed" for package in packages} <= names
    assert "xharness/cli/templates/plugin/pyproject.toml.template" in names


def test_the_source_distribution_builds_the_same_wheel(distributions: Path, tmp_path: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    pip("wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(folder))
    wheels = [*distributions.glob("*.whl"), *tmp_path.glob("*.whl")]
    first, second = (sorted(zipfile.ZipFile(wheel).namelist()) for wheel in wheels)
    assert first == second


def test_an_index_would_take_both(distributions: Path) -> None:
    if importlib.util.find_spec("twine") is None:
        pytest.skip("twine is not installed")
    files = [str(path) for path in distributions.iterdir()]
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout
    assert process.stdout.count("PASSED") == 2
