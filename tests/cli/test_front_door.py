"""`import xharness`: the names there are, and a study from Python to data frames."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import xharness
from tests.cli.project import Project
from xharness import ConfigurationError, Session, UnavailableError, hookimpl


def _typed_names() -> dict[str, str]:
    """The names that type checkers see, and the modules they see them in."""
    source = Path(xharness.__file__).read_text(encoding="utf-8")
    (block,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_what_is_typed_is_listed_and_can_be_imported() -> None:
    typed_names = _typed_names()
    assert typed_names.keys() <= set(dir(xharness))
    for name, module_name in typed_names.items():
        module = importlib.import_module(module_name)
        assert getattr(xharness, name) is getattr(module, name), name
    for module_name in xharness._PLUGIN_MODULES:
        assert set(sys.modules[module_name].__all__) <= typed_names.keys(), module_name
    assert set(xharness._MODULE_OF) <= typed_names.keys()
    with pytest.raises(AttributeError, match="no attribute 'Stratgy'"):
        _ = xharness.Stratgy


def test_importing_it_costs_nothing() -> None:
    code = "import sys, xharness; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not {"numpy", "pydantic", "yaml", "xharness.errors"} & set(process.stdout.split())


def _open(project: Project, **options: Any) -> Session:
    folder = project.folder
    folders = {"cards": folder / "cards", "store": folder / "store"}
    return xharness.open_study(folder / "study.yaml", **folders | options)


class Observer:
    """Notes how stages end."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    @hookimpl
    def xharness_stage_finished(self, outcome: str, receipt: Mapping[str, Any] | None) -> None:
        self.outcomes.append(outcome)


@pytest.fixture
def project_folder(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project's folder is the working directory, since its card's paths are relative."""
    monkeypatch.chdir(project.folder)
    return project


def test_a_session_plans_runs_and_hands_back_board_and_frames(project_folder: Project) -> None:
    session, observer = _open(project_folder), Observer()
    session.observe(observer)
    assert len(session.plan.stages) == 6 and session.report is None
    board = session.run()
    assert observer.outcomes == ["ran"] * 6
    assert session.exit_code == 0 and session.report is not None
    assert session.files and all(path.is_file() for path in session.files)
    assert {model for model, _ in board.arms} == {"most", "grams"}
    assert len(session.scores()) == 6 and len(session.languages()) == 6
    assert len(session.gaps()) == 2 and session.changes().empty
    stored_board = xharness.read_board(project_folder.folder)
    assert stored_board.rows == board.rows
    assert xharness.dataframes.gaps(stored_board).equals(session.gaps())


def test_options_are_those_of_the_command(project_folder: Project) -> None:
    session = _open(project_folder, languages="en,sw", seeds=4, limit=7, output="short")
    session.run()
    scores = session.scores()
    assert set(scores["language"]) == {"en", "sw"}
    assert set(scores["seed"]) == {4} and set(scores["n"]) == {7}
    second_session = _open(
        project_folder, languages=["en", "sw"], seeds=[4], limit=7, output="short"
    )
    assert len(second_session.scores()) == len(scores), (
        "what the folder holds is there without a run"
    )


def test_run_is_open_and_run(project_folder: Project) -> None:
    folder = project_folder.folder
    board = xharness.run("study.yaml", cards=["cards"], store=folder / "store", output="there")
    lines = Path("there", "scores.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(board.rows) == 6


def test_a_plugin_may_be_an_object(project_folder: Project) -> None:
    class Twice(xharness.Strategy):
        name = "twice"

        def route(self, route: xharness.Route, options: Any) -> xharness.Checkpoint:
            first_pass = route.train(route.base, route.training_sets())
            return route.train(first_pass, route.training_sets(), heads="keep")

    class Plugin:
        @hookimpl
        def xharness_strategies(self) -> list[xharness.Strategy]:
            return [Twice()]

    project_folder.study["strategies"] = ["single", "twice"]
    project_folder.write()
    board = _open(project_folder, plugins=[Plugin()]).run()
    assert {strategy for _, strategy in board.arms} == {"single", "twice"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": "xx"}, "no target has the language 'xx'"),
        ({"seeds": "one"}, "not a list of whole numbers"),
        ({"split": "tset"}, "did you mean 'test'?"),
        ({"limit": 0}, "0 is no number of items"),
        ({"plugins": ["no_such_module"]}, "plugin 'no_such_module': ModuleNotFoundError"),
        ({"data_root": "nowhere"}, "the data root is not a folder"),
    ],
)
def test_options_that_cannot_be_right(
    project_folder: Project, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("?", r"\?")):
        _open(project_folder, **options)


def test_an_observer_of_a_hook_that_does_not_exist(project_folder: Project) -> None:
    class Misspelt:
        @hookimpl
        def xharness_stage_finishd(self) -> None: ...

    with pytest.raises(ConfigurationError, match="did you mean 'xharness_stage_finished'"):
        _open(project_folder).observe(Misspelt())


def test_nothing_to_run_is_an_error_with_its_reason(project_folder: Project) -> None:
    for path in (project_folder.folder / "data").iterdir():
        path.unlink()
    with pytest.raises(UnavailableError, match=r"nothing can be run\n  mood: .*no such file"):
        _open(project_folder).run()
