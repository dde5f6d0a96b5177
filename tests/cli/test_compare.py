"""`xharness compare`: two runs, or two arms of one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.project import Project, fresh, invoke


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that tests only read."""
    project = fresh(tmp_path_factory.mktemp("project"))
    assert project.run("--output", "a").exit_code == 0
    return project


def _compare(project: Project, *words: str) -> list[dict[str, Any]]:
    result = invoke(project.folder, "compare", *words, "--json")
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_a_run_is_no_better_than_itself(done: Project) -> None:
    for one in _compare(done, "a", "a"):
        tests = one["change"]["tests"]
        assert set(tests) == {"en", "de", "sw"}
        assert all(test["difference"]["value"] == 0 for test in tests.values())
        assert all(test["p"] == 1 for test in tests.values())


def test_two_models_of_one_run(done: Project) -> None:
    (one,) = _compare(done, "most", "grams", "--run", "a")
    assert one["task"] == "mood"
    for code, test in one["change"]["tests"].items():
        a, b = (one[side]["scores"][code]["value"] for side in ("a", "b"))
        assert test["difference"]["value"] == pytest.approx(b - a)
        assert test["method"] == "exact McNemar"
        assert test["adjusted"] >= test["p"]


def test_two_runs_with_other_data_order_of_sides_matters(done: Project) -> None:
    (there,) = _compare(done, "most:single", "grams:single", "--run", "a")
    (back,) = _compare(done, "grams:single", "most:single", "--run", "a")
    gap, other = there["change"]["gap"], back["change"]["gap"]
    assert gap["value"] == pytest.approx(-other["value"])


def test_the_table_has_scores_differences_and_tests(done: Project) -> None:
    told = invoke(done.folder, "compare", "most", "grams", "--run", "a").stdout
    assert "B minus A" in told and "exact McNemar" in told
    assert "mean of others" in told and "p adjusted" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("a", "nowhere"), "there is no scores.jsonl here"),
        (("most", "gram", "--run", "a"), "no arm is called 'gram'"),
        (("most", "gram", "--run", "a"), "did you mean 'grams'?"),
        (("most", "grams"), "--run FOLDER"),
    ],
)
def test_what_cannot_be_compared(done: Project, words: tuple[str, ...], told: str) -> None:
    result = invoke(done.folder, "compare", *words)
    assert result.exit_code == 2 and told in result.stderr


def test_runs_without_a_common_arm(done: Project) -> None:
    other = done.folder / "b"
    other.mkdir()
    text = (done.folder / "a" / "scores.jsonl").read_text(encoding="utf-8")
    (other / "scores.jsonl").write_text(text.replace('"single"', '"multitask"'), encoding="utf-8")
    result = invoke(done.folder, "compare", "a", "b")
    assert result.exit_code == 2
    assert "no model and strategy is in both runs" in result.stderr
    assert "most:multitask" in result.stderr
