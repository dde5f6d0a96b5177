"""`xharness compare`: two runs, or two arms of one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.project import Project, fresh, invoke


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that tests only read."""
    project = fresh(tmp_path_factory.mktemp("project"))
    assert project.run("--output", "a").exit_code == 0
    return project


def _compare(project: Project, *words: str) -> list[dict[str, Any]]:
    result = invoke(project.folder, "compare", *words, "--json")
    assert result.exit_code == 0, result.stderr
    comparisons: list[dict[str, Any]] = json.loads(result.stdout)
    return comparisons


def test_a_run_is_no_better_than_itself(finished: Project) -> None:
    for comparison in _compare(finished, "a", "a"):
        tests = comparison["change"]["tests"]
        assert set(tests) == {"en", "de", "sw"}
        assert all(test["difference"]["value"] == 0 for test in tests.values())
        assert all(test["difference"]["p"] == 1 for test in tests.values())


def test_two_models_of_one_run(finished: Project) -> None:
    (comparison,) = _compare(finished, "most", "grams", "--run", "a")
    assert comparison["task"] == "mood"
    for code, test in comparison["change"]["tests"].items():
        a, b = (comparison[side]["scores"][code]["value"] for side in ("a", "b"))
        assert test["difference"]["value"] == pytest.approx(b - a)
        assert test["method"] == "Tango"
        assert test["adjusted"] >= test["difference"]["p"]


def test_the_order_of_sides_turns_the_sign(finished: Project) -> None:
    (forward,) = _compare(finished, "most:single", "grams:single", "--run", "a")
    (backward,) = _compare(finished, "grams:single", "most:single", "--run", "a")
    gap, backward_gap = forward["change"]["gap"], backward["change"]["gap"]
    assert gap["value"] == pytest.approx(-backward_gap["value"])


def test_the_table_has_scores_differences_and_tests(finished: Project) -> None:
    output = invoke(finished.folder, "compare", "most", "grams", "--run", "a").stdout
    assert "B minus A" in output and "Tango" in output
    assert "others" in output and "p adjusted" in output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a", "nowhere"), "there is no scores.jsonl here"),
        (("most", "gram", "--run", "a"), "no arm is called 'gram'"),
        (("most", "gram", "--run", "a"), "did you mean 'grams'?"),
        (("most", "grams"), "--run FOLDER"),
    ],
)
def test_what_cannot_be_compared(finished: Project, words: tuple[str, ...], message: str) -> None:
    result = invoke(finished.folder, "compare", *words)
    assert result.exit_code == 2 and message in result.stderr


def test_runs_without_a_common_arm(finished: Project) -> None:
    folder = finished.folder / "b"
    folder.mkdir()
    text = (finished.folder / "a" / "scores.jsonl").read_text(encoding="utf-8")
    (folder / "scores.jsonl").write_text(text.replace('"single"', '"multitask"'), encoding="utf-8")
    result = invoke(finished.folder, "compare", "a", "b")
    assert result.exit_code == 2
    assert "no model and strategy is in both runs" in result.stderr
    assert "most:multitask" in result.stderr
