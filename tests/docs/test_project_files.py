"""The files that a project has beside its code say what is so."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from tests.conftest import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_contributing_names_what_exists() -> None:
    text = _text("CONTRIBUTING.md")
    for target in re.findall(r"^make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", _text("Makefile"), re.MULTILINE), target
    for path in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (REPOSITORY / path).exists(), path


def test_the_citation_is_of_this_version() -> None:
    citation = yaml.safe_load(_text("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= {*citation}
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


def test_the_changelog_ends_before_what_comes_next() -> None:
    versions = re.findall(r"^## (.+)$", _text("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == "Unreleased" or versions[0].startswith(PROJECT["version"])


@pytest.mark.parametrize("name", ["bug", "number", "task"])
def test_issue_forms_are_whole(name: str) -> None:
    form = yaml.safe_load(_text(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert form["name"] and form["description"]
    names = [field["id"] for field in form["body"]]
    assert len(names) == len({*names})
    assert all(field["attributes"]["label"] for field in form["body"])


def test_hooks_before_a_commit_run_what_the_environment_has() -> None:
    (repository,) = yaml.safe_load(_text(".pre-commit-config.yaml"))["repos"]
    commands = {hook["entry"].split()[0].rpartition("/")[2] for hook in repository["hooks"]}
    packages = " ".join(PROJECT["optional-dependencies"]["dev"])
    assert commands - {"xharness"} == {"ruff", "lint-imports", "mypy"}
    for package in ("ruff", "import-linter", "mypy"):
        assert package in packages
    for hook in repository["hooks"]:
        re.compile(hook.get("files", ""))


def test_the_image_copies_what_is_there_and_installs_extras_that_exist() -> None:
    text = _text("Dockerfile")
    for sources in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (REPOSITORY / source).exists(), source
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)", text, re.MULTILINE)
    assert {*extras.split(",")} <= {*PROJECT["optional-dependencies"]}
    assert re.search(r"^torch==", _text("constraints.txt"), re.MULTILINE)
