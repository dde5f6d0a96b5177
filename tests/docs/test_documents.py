"""The documents are true: what they name exists, what exists they name, their examples run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import REPOSITORY
from xharness.plugin import hookspecs, manager
from xharness.plugin.catalogue import Catalogue
from xharness.spec.recipe import Recipe
from xharness.spec.study import Runtime, Study
from xharness.task_types import BUILTIN

DOCUMENTS = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")])
EXTENDING = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
STUDIES = (REPOSITORY / "docs" / "studies.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)(#[^)]*)?\)")


def _blocks(text: str, language: str) -> list[str]:
    return [body for found, body in _FENCE.findall(text) if found == language]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target, _ in _LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_every_hook_is_documented() -> None:
    for name in vars(hookspecs):
        if name.startswith("xharness_"):
            assert f"`{name}`" in EXTENDING, name


def test_every_kind_is_documented_with_its_fields_and_metrics() -> None:
    for kind in BUILTIN:
        (row,) = [line for line in EXTENDING.splitlines() if line.startswith(f"| `{kind.name}`")]
        for name in (*kind.fields, *kind.metrics):
            assert f"`{name}`" in row, (kind.name, name)


@pytest.mark.parametrize("model", [Recipe, Runtime, Study])
def test_every_key_of_a_study_is_documented(model: type) -> None:
    for name in model.model_fields:  # type: ignore[attr-defined]
        assert f"`{name}`" in STUDIES, name


def test_the_example_card_passes_the_check_of_cards(tmp_path: Path) -> None:
    (text,) = [text for text in _blocks(EXTENDING, "yaml") if "fields:" in text]
    file = tmp_path / f"{yaml.safe_load(text)['name']}.yaml"
    file.write_text(text, encoding="utf-8")
    Catalogue(manager.load()).check_file(file)


def test_the_study_examples_are_right() -> None:
    study, *parts = map(yaml.safe_load, _blocks(STUDIES, "yaml"))
    for part in ({}, *parts):
        Study.model_validate(study | part)
    for text in _blocks((REPOSITORY / "README.md").read_text(encoding="utf-8"), "yaml"):
        Study.model_validate(yaml.safe_load(text))


def test_the_example_strategy_runs(tmp_path: Path) -> None:
    (code,) = [text for text in _blocks(EXTENDING, "python") if text.startswith("# twice.py")]
    (tmp_path / "twice.py").write_text(code, encoding="utf-8")
    study = {
        "name": "twice",
        "models": [{"name": "m", "backend": "majority"}],
        "strategies": ["single", "twice"],
        "targets": [{"task": "mini_topic", "limit": 5}],
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    command = [sys.executable, "-m", "xharness", "run", "study.yaml", "--plugin", "twice.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "twice" in (tmp_path / "leaderboard.md").read_text(encoding="utf-8")


def test_the_readme_names_the_commands_that_exist() -> None:
    make = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"^make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{name}:", make, re.MULTILINE), name
