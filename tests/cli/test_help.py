"""What the command says before it does anything, and how fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.project import RUN, Project, invoke
from xharness.version import __version__

_HEAVY = {
    "numpy",
    "pyarrow",
    "torch",
    "transformers",
    "datasets",
    "yaml",
    "rich",
    "xharness.spec.study",
}


def _modules_after(words: list[str], cwd: Path) -> set[str]:
    code = (
        f"import sys; sys.argv = ['xharness', *{words!r}]\n"
        "from xharness.cli import main\n"
        "try: main()\n"
        "finally: print('\\nMODULES', *sys.modules)\n"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)
    return set(process.stdout.rpartition("MODULES")[2].split())


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    """The budget of 0.3 s, kept by what is imported rather than by a clock."""
    loaded = _modules_after(words, tmp_path)
    assert "typer" in loaded
    assert loaded & _HEAVY == set()


@pytest.mark.parametrize("command", ["plan", "run"])
def test_no_model_library_is_loaded_for_baselines(project: Project, command: str) -> None:
    loaded = _modules_after(project.words(command), project.folder)
    assert "xharness.planning.compile" in loaded
    assert not loaded & {"torch", "transformers", "datasets"}


def test_help_shows_examples_and_exit_codes(tmp_path: Path) -> None:
    output = invoke(tmp_path, "--help").stdout
    assert "xharness plan study.yaml" in output
    assert "130 interrupted, state saved" in output


def test_version(tmp_path: Path) -> None:
    assert invoke(tmp_path, "--version").stdout.strip() == f"xharness {__version__}"


def test_underscores_do_as_well_as_hyphens(project: Project) -> None:
    words = ["run", "study.yaml", "--cards", "cards", "--store", "store", "--strict_data"]
    code, _out, err = project.call(*words, "--data_root=data")
    assert code == 0, err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rum"], "Did you mean 'run'"),
        (["run", "--limt", "3"], "--limit"),
        (["run", "--seed", "one"], "'one' is not a list of whole numbers"),
        (["run", "study.yaml", "--split", "devel"], "validation"),
        (["eval", "--model", "a", "--num-fewshot", "4"], "strategy {prompt: {shots: N}}"),
        (["run", "--output-path", "a"], "--output DIR"),
        (["ls", "tasks"], "xharness cards list"),
    ],
)
def test_wrong_usage_exits_with_2(words: list[str], message: str, tmp_path: Path) -> None:
    result = invoke(tmp_path, *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -c '{RUN[2]}' cards list | head -1"
    process = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in process.stderr and "BrokenPipe" not in process.stderr
