"""Plugins that are broken, misspelt or in each other's way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.project import Project, invoke
from xharness_baselines import plugin as baselines

_DIST = "{name}-1.2.dist-info"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path where packages can be 'installed'."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def _install(site: Path, name: str, text: str) -> None:
    """A distribution with one module and one entry point."""
    (site / f"{name}.py").write_text(text, encoding="utf-8")
    info = site / _DIST.format(name=name)
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[xharness]\n{name} = {name}\n")


def test_a_broken_plugin_takes_nobody_down(project: Project, site: Path) -> None:
    _install(site, "brittle", "import a_library_nobody_has\n")
    code, _, err = project.call(*project.words("run"))
    assert code == 0, err
    assert err.count("plugin brittle (brittle 1.2) is left out: ModuleNotFoundError") == 1
    assert "brittle.py:1" in err
    listing = json.loads(project.call("plugins", "--json")[1])
    assert "brittle (brittle 1.2)" in [plugin["plugin"] for plugin in listing["broken"]]
    assert "baselines" in [plugin["plugin"] for plugin in listing["plugins"]]


def test_a_misspelt_hook_is_a_load_error(project: Project, site: Path) -> None:
    hook = "@hookimpl\ndef xharness_backend():\n    return []\n"
    _install(site, "misspelt", f"from xharness import hookimpl\n{hook}")
    _, _, err = project.call(*project.words("plan"))
    assert "there is no hook 'xharness_backend'; did you mean 'xharness_backends'?" in err


def test_a_hook_without_its_mark_is_a_load_error(project: Project, site: Path) -> None:
    _install(site, "unmarked", "def xharness_backends():\n    return []\n")
    _, _, err = project.call(*project.words("plan"))
    assert "'xharness_backends' is not marked as a hook: write @hookimpl above it" in err


def test_an_offer_alone_is_no_list_of_offers(project: Project, site: Path) -> None:
    hook = "@hookimpl\ndef xharness_backends():\n    return 7\n"
    _install(site, "lone", f"from xharness import hookimpl\n{hook}")
    _, _, err = project.call(*project.words("plan"))
    assert "xharness_backends: TypeError: must return a list of offers, not 7" in err


STRATEGY = """
from xharness import Strategy, hookimpl


class Misspelt(Strategy):
    name = "misspelt"

    def route(self, route, options):
        return route.train(route.base, route.training_sets(), {words})


@hookimpl
def xharness_strategies():
    return [Misspelt()]
"""


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ('heads="kepp"', "heads are dropped or kept, not 'kepp'"),
        ('recipe={"step": 9}', "recipe: unknown key 'step'; did you mean 'steps'?"),
    ],
)
def test_a_strategy_that_misspells_a_word_is_told(
    words: str, answer: str, project: Project
) -> None:
    project.study["strategies"] = ["misspelt"]
    project.write()
    file = project.folder / "misspelt.py"
    file.write_text(STRATEGY.replace("{words}", words), encoding="utf-8")
    result = project.run("--plugin", str(file))
    assert result.exit_code == 2
    assert answer in result.stderr and "study.yaml:" in result.stderr


def test_a_plugin_from_the_command_line_must_load(project: Project) -> None:
    result = project.run("--plugin", "no_such_module")
    assert result.exit_code == 2
    assert "plugin 'no_such_module': ModuleNotFoundError" in result.stderr


HALF = """
from xharness import Backend, hookimpl

class Half(Backend):
    name, task_types = "half", frozenset()

    def start(self, options, environment, device): ...
    def load(self, folder, device): ...

@hookimpl
def xharness_backends():
    return [Half()]
"""


def test_an_offer_that_lacks_a_method_is_named_before_it_is_missed(project: Project) -> None:
    (project.folder / "half.py").write_text(HALF, encoding="utf-8")
    project.study["models"] = [{"name": "m", "backend": "half"}]
    result = project.write().run("--plugin", "half.py")
    assert result.exit_code == 2
    assert "plugin half.py (command line) is left out" in result.stderr
    assert "fingerprint" in result.stderr
    assert "there is no backend 'half'" in result.stderr


@pytest.mark.parametrize("is_file", [True, False])
def test_an_installed_plugin_may_be_named_once_more(is_file: bool, project: Project) -> None:
    name = str(baselines.__file__) if is_file else baselines.__name__
    result = project.run("--plugin", name)
    assert result.exit_code == 0, result.stderr


def test_two_offers_of_one_name_name_both(project: Project) -> None:
    text = (
        "from xharness import hookimpl\n"
        "from xharness_baselines import plugin\n"
        "@hookimpl\n"
        "def xharness_backends():\n"
        "    return [backend for backend in plugin.xharness_backends()\n"
        "            if backend.name == 'majority']\n"
    )
    (project.folder / "again.py").write_text(text, encoding="utf-8")
    result = project.run("--plugin", "again.py")
    assert result.exit_code == 2
    assert "backend 'majority' is offered by baselines (xharness-eval" in result.stderr
    assert "and again.py (command line)" in result.stderr
    output = invoke(project.folder, "plugins", "--plugin", "again.py").stdout
    assert "offered more than once" in output
