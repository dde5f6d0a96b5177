"""The documents are true: what they name exists, what exists they name, their examples run."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import xharness
from tests.conftest import REPOSITORY
from xharness import testing
from xharness.plugin import hookspecs, manager
from xharness.plugin.catalogue import Catalogue
from xharness.spec.recipe import Recipe
from xharness.spec.study import Runtime, Study
from xharness.task_types import BUILTIN

EXTENDING = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
STUDIES = (REPOSITORY / "docs" / "studies.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _blocks(text: str, language: str) -> list[str]:
    return [body for block_language, body in _FENCE.findall(text) if block_language == language]


def test_every_hook_is_documented() -> None:
    for name in vars(hookspecs):
        if name.startswith("xharness_"):
            assert f"`{name}`" in EXTENDING, name


def test_every_task_type_is_documented_with_its_fields_and_metrics() -> None:
    lines = EXTENDING.splitlines()
    for task_type in BUILTIN:
        (row,) = [line for line in lines if line.startswith(f"| `{task_type.name}`")]
        for name in (*task_type.fields, *task_type.metrics):
            assert f"`{name}`" in row, (task_type.name, name)


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


def _python_files(text: str) -> dict[str, str]:
    """File name to code, of the blocks that begin with a file's name."""
    return {
        block.partition("\n")[0].removeprefix("# "): block
        for block in _blocks(text, "python")
        if block.startswith("# ")
    }


def test_each_section_of_plugins_begins_with_a_whole_one() -> None:
    sections = {section.partition("\n")[0]: section for section in EXTENDING.split("\n## ")[1:-1]}
    assert len(sections) == 8
    for title, section in sections.items():
        _, fence, block = section.partition("\n\n")[2].partition("```")
        assert section.partition("\n\n")[2].startswith(fence), f"{title} begins with prose"
        assert block.startswith("yaml") or "@hookimpl" in block.partition("```")[0], title
        # A printed page has about fifty-five lines.
        assert block.partition("```")[0].count("\n") <= 55, title


def test_examples_import_from_the_front_door_alone() -> None:
    for name, code in _python_files(EXTENDING).items():
        modules = set(re.findall(r"^(?:from|import) (xharness[\w.]*)", code, re.MULTILINE))
        allowed = {"xharness.testing"} if name.startswith("test_") else {"xharness"}
        assert modules == allowed, name


@pytest.mark.slow
def test_the_example_plugins_keep_their_contracts(tmp_path: Path) -> None:
    for name, code in _python_files(EXTENDING).items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout
    named_tests = set(re.findall(r"`(test_\w+)`", EXTENDING))
    assert named_tests == _contract_tests()


def _contract_tests() -> set[str]:
    """Every test of a contract kit: those that the document explains."""
    kits = [getattr(testing, name) for name in testing.__all__ if name.endswith("Contract")]
    return {name for kit in kits for name in vars(kit) if name.startswith("test_")}


def test_the_example_strategy_runs(tmp_path: Path) -> None:
    (tmp_path / "twice.py").write_text(_python_files(EXTENDING)["twice.py"], encoding="utf-8")
    (tmp_path / "diary.py").write_text(_python_files(EXTENDING)["diary.py"], encoding="utf-8")
    _write_study(tmp_path / "study.yaml", "twice")
    command = [sys.executable, "-m", "xharness", "run", "study.yaml"]
    command += ["--plugin", "twice.py", "--plugin", "diary.py"]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert "twice" in (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert "ran: m · train mini_topic" in (tmp_path / "diary.txt").read_text(encoding="utf-8")


def _write_study(path: Path, *strategies: str) -> None:
    study = {
        "name": path.stem,
        "models": [{"name": "m", "backend": "majority"}],
        "strategies": ["single", *strategies],
        "targets": [{"task": "mini_topic", "limit": 5}],
    }
    path.write_text(yaml.safe_dump(study), encoding="utf-8")


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _write_study(Path("study.yaml"))
    _write_study(Path("twice.yaml"), "twice")
    names: dict[str, Any] = {}
    for block in _blocks((REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8"), "python"):
        exec(block, names)
    assert names["session"].report.count("reused") == len(names["session"].plan.stages)
    assert set(names["gaps"]["task"]) == {"mini_topic"}


def test_the_keywords_of_a_session_are_documented() -> None:
    text = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    for name in inspect.signature(xharness.open_study).parameters:
        assert name == "path" or f"`{name}`" in text, name


def test_the_readme_names_the_commands_that_exist() -> None:
    make = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"^make (\w+)", readme, re.MULTILINE):
        assert re.search(rf"^{name}:", make, re.MULTILINE), name


def test_the_readmes_table_is_that_of_its_board() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    arms = (REPOSITORY / "leaderboard/first-light/details/arms.md").read_text(encoding="utf-8")
    rows, board = _table(readme, "| model | strategy | seeds |"), _table(arms, "| model |")
    assert len(rows) == 4
    on_board = {(row["model"], row["strategy"]): row for row in board}
    for row in rows:
        arm = on_board[row["model"], row["strategy"]]
        for name, cell in row.items():
            # One seed's intervals, over items alone, are left to the details.
            assert cell in ("—", "baseline") or arm[name].startswith(cell), (row["strategy"], name)


def _table(text: str, start: str) -> list[dict[str, str]]:
    """The rows of the table that begins so, without marks of footnotes."""
    lines = re.sub("<sup>.*?</sup>", "", text[text.index(start) :]).split("\n\n")[0].splitlines()
    header, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in rows]
