"""What `xharness new` writes works as it is, and never takes the place of what is there."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.cli.project import RUN, invoke
from xharness.spec.study import Study
from xharness.task_types import BUILTIN


def test_a_study_can_be_planned(tmp_path: Path) -> None:
    assert invoke(tmp_path, "new", "study", "my-question").exit_code == 0
    study = tmp_path / "my-question" / "study.yaml"
    Study.model_validate(yaml.safe_load(study.read_text(encoding="utf-8")))
    result = invoke(tmp_path, "plan", str(study), "--store", str(tmp_path / "store"))
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("task_type", ["classification", "tagging", "extractive_qa"])
def test_a_card_passes_the_check(task_type: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "new", "card", "mine", "--task-type", task_type, "--to", "cards")
    assert result.exit_code == 0, result.stderr
    result = invoke(tmp_path, "cards", "validate", "cards/mine.yaml")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("task_type", [task_type.name for task_type in BUILTIN])
def test_a_card_of_every_task_type_has_its_fields(task_type: str, tmp_path: Path) -> None:
    invoke(tmp_path, "new", "card", "mine", "--task-type", task_type)
    card = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    (offer,) = [offer for offer in BUILTIN if offer.name == task_type]
    assert {*(card["fields"] or ())} == {name for name, needed in offer.fields.items() if needed}


@pytest.mark.slow
@pytest.mark.parametrize("offer", ["backend", "strategy"])
def test_a_plugin_passes_its_own_tests(offer: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "new", "plugin", "my-plugin", "--offer", offer)
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "my-plugin"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    env = os.environ | {"PYTHONPATH": str(folder)}
    process = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    for words in (["check", "--select", "E,F,I,UP"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *words, "--isolated", "--line-length", "100", "."]
        if subprocess.run([*ruff[:3], "--version"], capture_output=True).returncode == 0:
            process = subprocess.run(ruff, cwd=folder, capture_output=True, text=True)
            assert process.returncode == 0, process.stdout


def test_a_plugin_names_its_module_in_the_entry_point(tmp_path: Path) -> None:
    invoke(tmp_path, "new", "plugin", "My-Plugin")
    folder = tmp_path / "My-Plugin"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    (module,) = project["project"]["entry-points"]["xharness"].values()
    assert (folder / Path(*module.split("."))).with_suffix(".py").is_file()
    workflow = yaml.safe_load((folder / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["test"]["steps"]
    assert steps[1]["with"]["python-version"] == "${{ matrix.python }}"


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["study", "mine"], "mine/study.yaml"),
        (["plugin", "mine"], "mine/README.md"),
        (["card", "mine"], "mine.yaml"),
    ],
)
def test_what_is_there_stays_as_it_is(words: list[str], path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("precious", encoding="utf-8")
    paths = set(tmp_path.rglob("*"))
    result = invoke(tmp_path, "new", *words)
    assert result.exit_code == 2
    assert "it is there already" in result.stderr
    assert file.read_text(encoding="utf-8") == "precious"
    assert set(tmp_path.rglob("*")) == paths


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["stduy", "x"], "Did you mean 'study'"),
        (["card", "x", "--task-type", "taging"], "did you mean 'tagging'?"),
        (["plugin", "9lives"], "'9lives' is not a name here"),
        (["plugin", "class"], "a package cannot be called 'class'"),
        (["study", "../x"], "'../x' is not a name here"),
    ],
)
def test_bad_input_is_told(words: list[str], answer: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "new", *words)
    assert result.exit_code == 2
    assert answer in result.stderr
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_script(shell: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, "completion", shell)
    assert result.exit_code == 0
    assert "_XHARNESS_COMPLETE" in result.stdout


@pytest.mark.parametrize(
    ("line", "completed"), [("xharness ne", "new"), ("xharness run --track", "--trackers")]
)
def test_commands_and_flags_are_completed(line: str, completed: str, tmp_path: Path) -> None:
    request = {"_XHARNESS_COMPLETE": "complete_bash", "COMP_WORDS": line}
    env = os.environ | request | {"COMP_CWORD": str(line.count(" "))}
    process = subprocess.run(RUN, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert process.stdout.split() == [completed]
