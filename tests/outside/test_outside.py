"""Strangers' packages run beside the wheel, the folder, and an editable checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = Path(__file__).parent / "example"
STUDY = """\
name: outside
models:
  - {name: by-length, backend: lengths}
  - {name: most, backend: majority}
strategies: [twice, single]
targets: [long_or_short]
"""

pytestmark = pytest.mark.slow


class Environment:
    """A fresh environment that sees the dependencies installed here, but not xharness."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        venv.create(folder, with_pip=False)
        scheme = {"base": str(folder), "platbase": str(folder)}
        site_packages = Path(sysconfig.get_path("purelib", "venv", scheme))
        paths = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
        (site_packages / "dependencies.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
        self._bin = Path(sysconfig.get_path("scripts", "venv", scheme))

    def install(self, *packages: str) -> None:
        """pip install, offline and without dependencies."""
        python = str(self._bin / "python")
        pip("--python", python, "install", "--no-deps", "--ignore-installed", *packages)

    def xharness(self, cwd: Path, *words: str) -> str:
        """The command's standard output; it must succeed, and leave the checkout alone."""
        env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        process = subprocess.run(
            [str(self._bin / "xharness"), *words], cwd=cwd, env=env, capture_output=True, text=True
        )
        assert process.returncode == 0, process.stderr
        return process.stdout


def pip(*words: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check"]
    process = subprocess.run(
        [sys.executable, "-m", "pip", *words, *quiet, "--no-index", "--no-build-isolation"],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(REPOSITORY), str(EXAMPLE))
    return sorted(map(str, folder.glob("*.whl")))


def _offers(environment: Environment, cwd: Path) -> dict[str, Any]:
    listing = json.loads(environment.xharness(cwd, "plugins", "--json"))
    assert listing["broken"] == []
    return {plugin["plugin"]: plugin for plugin in listing["plugins"]}


def test_the_wheel_and_a_strangers_wheel_run_a_study(tmp_path: Path, wheels: list[str]) -> None:
    environment = Environment(tmp_path / "env")
    environment.install(*wheels)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    outside = _offers(environment, elsewhere)["outside"]
    assert outside["from"] == "xharness-outside-example 0.1.0"
    assert outside["offers"] == {
        "cards": ["long_or_short"],
        "sources": ["numbers"],
        "backends": ["lengths"],
        "strategies": ["twice"],
    }
    (elsewhere / "study.yaml").write_text(STUDY, encoding="utf-8")
    summary = json.loads(environment.xharness(elsewhere, "run", "study.yaml", "--json"))
    assert summary["stages"]["failed"] == 0 and summary["exit_code"] == 0
    rows = [json.loads(line) for line in (elsewhere / "scores.jsonl").read_text().splitlines()]
    twice_scores = [
        row["value"] for row in rows if (row["model"], row["strategy"]) == ("by-length", "twice")
    ]
    assert len(twice_scores) == 3 and min(twice_scores) > 80


@pytest.mark.parametrize("install_mode", ["plain", "editable"])
def test_a_folder_installs_from_any_directory(tmp_path: Path, install_mode: str) -> None:
    environment = Environment(tmp_path / "env")
    flag = ["--editable"] if install_mode == "editable" else []
    environment.install(*flag, str(REPOSITORY), *flag, str(EXAMPLE))
    assert {"builtin", "outside"} <= set(_offers(environment, tmp_path))
    cards = json.loads(environment.xharness(tmp_path, "cards", "list", "--json"))
    assert {"xnli", "long_or_short"} <= {card["card"] for card in cards}
    output = environment.xharness(tmp_path, "cards", "show", "xnli")
    assert output.startswith(f"# {REPOSITORY if install_mode == 'editable' else tmp_path}")
