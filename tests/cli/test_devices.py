"""A device that is not there ends a run before its first stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.project import Project
from xharness.cli import app
from xharness.errors import ConfigurationError, UnavailableError
from xharness_hf.backbone.precision import device_of
from xharness_hf.translation import HfTranslator

PLACED = """
from xharness import ConfigurationError, hookimpl
from xharness_baselines import plugin
from xharness_baselines.backend import Baseline

class Placed(Baseline):
    def check_device(self, device):
        if device != "here":
            raise ConfigurationError(f"there is no device '{device}'", hint="did you mean 'here'?")

@hookimpl
def xharness_backends():
    backends = {backend.name: backend for backend in plugin.xharness_backends()}
    majority = backends["majority"]
    return [Placed("placed", majority.task_types, majority.make, majority.options)]
"""


@pytest.fixture
def placed(project: Project) -> Project:
    (project.folder / "placed.py").write_text(PLACED, encoding="utf-8")
    project.study["models"].append({"name": "placed", "backend": "placed"})
    return project.write()


def _stored(project: Project) -> bool:
    return any((project.folder / "store").glob("*/*/receipt.json"))


def test_a_flag_that_names_no_device(placed: Project) -> None:
    result = placed.run("--plugin", "placed.py", "--device", "hree")
    assert result.exit_code == 2
    assert result.stderr.count("--device: there is no device 'hree'") == 1
    assert "did you mean 'here'?" in result.stderr and "Traceback" not in result.stderr
    assert not _stored(placed) and not (placed.folder / "scores.jsonl").exists()


def test_a_study_that_names_no_device_is_told_its_line(placed: Project) -> None:
    placed.study["runtime"] = {"device": "hree"}
    result = placed.write().run("--plugin", "placed.py")
    assert result.exit_code == 2
    text = (placed.folder / "study.yaml").read_text(encoding="utf-8").splitlines()
    (line,) = [number for number, text_line in enumerate(text, 1) if "device:" in text_line]
    assert f"study.yaml:{line}:" in result.stderr
    assert "runtime.device: there is no device 'hree'" in result.stderr
    assert placed.run("--plugin", "placed.py", "--device", "here").exit_code == 0


def test_what_is_stored_needs_no_device(placed: Project) -> None:
    assert placed.run("--plugin", "placed.py").exit_code == 0
    assert placed.run("--plugin", "placed.py", "--device", "hree").exit_code == 0


def test_an_executor_of_a_plugin_may_run_elsewhere(placed: Project) -> None:
    (placed.folder / "far.py").write_text(
        "from xharness.executor.sequential import SequentialExecutor\n"
        "from xharness import Executor, hookimpl\n"
        "class Far(Executor):\n"
        "    name = 'far'\n"
        "    def run(self, plan, context):\n"
        "        return SequentialExecutor().run(plan, context)\n"
        "@hookimpl\n"
        "def xharness_executors():\n"
        "    return [Far()]\n",
        encoding="utf-8",
    )
    words = ["--plugin", "placed.py", "--plugin", "far.py", "--executor", "far"]
    assert placed.run(*words, "--device", "hree").exit_code == 0


@pytest.mark.parametrize("check", [device_of, HfTranslator().check_device])
def test_devices_of_torch(check: object) -> None:
    assert callable(check)
    with pytest.raises(ConfigurationError, match=r"no device 'cdua'\n  did you mean 'cuda'\?"):
        check("cdua")
    with pytest.raises(ConfigurationError, match="no device 'cuda:x'"):
        check("cuda:x")
    with pytest.raises(UnavailableError, match="no device 'cuda:77' here"):
        check("cuda:77")
    check("cpu")


STUDY = """
name: placed
models:
  - {name: tiny, scratch: {architecture: bert, hidden: 8, num_layers: 1, heads: 1, tokenizer: {vocabulary: 500}}}
strategies: [single]
targets: [{task: mini_topic, languages: [en], limit: 5}]
"""  # noqa: E501


@pytest.mark.parametrize(("name", "code"), [("cdua", 2), ("cuda:77", 3)])
def test_a_study_of_transformers(tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    words = ["run", str(tmp_path / "study.yaml"), "--store", str(tmp_path / "store")]
    result = CliRunner().invoke(app, [*words, "--device", name])
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("error: --device: ")
    assert "Traceback" not in result.output
