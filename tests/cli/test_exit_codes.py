"""0 done, 1 some stages failed, 2 wrong usage, 3 unavailable, 130 interrupted."""

from __future__ import annotations

import json

import pytest

from tests.cli.project import Project

PLUGIN = ("--plugin", "tests.cli.sluggish")
STUCK = {"name": "stuck", "backend": "sluggish", "fails": True}
GONE = {"name": "gone", "backend": "sluggish", "missing": True}


def test_a_failed_stage_is_told_and_the_others_go_on(sluggish: Project) -> None:
    sluggish.study["models"].append(STUCK)
    result = sluggish.write().run(*PLUGIN)
    assert result.exit_code == 1
    assert "not finite at step 3; the last finite one was 0.7" in result.stderr
    assert "failure.txt" in result.stderr and "2 skipped" in result.stderr
    missing = [json.loads(line) for line in sluggish.scores.splitlines() if "reason" in line]
    assert [(row["model"], row["task"]) for row in missing] == [("stuck", "mood")]
    assert '"model": "slower"' in sluggish.scores


def test_a_model_that_is_not_there(sluggish: Project) -> None:
    sluggish.study["models"].append(GONE)
    result = sluggish.write().run(*PLUGIN)
    assert result.exit_code == 3
    assert "no weights in 'models/missing'" in result.stderr
    assert "gone · single" in result.stderr
    assert '"model": "slow"' in sluggish.scores


def test_a_failure_weighs_more_than_an_absence(sluggish: Project) -> None:
    sluggish.study["models"] += [STUCK, GONE]
    assert sluggish.write().run(*PLUGIN).exit_code == 1


def test_a_defect_is_told_without_a_traceback(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*arguments: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr("xharness.session.session.Session.run", break_down)
    result = project.run()
    assert result.exit_code == 1
    assert "error: RuntimeError: out of cheese" in result.stderr
    assert "--debug" in result.stderr and "Traceback" not in result.stderr
    result = project.run("--debug")
    assert result.exit_code == 1 and "Traceback" in result.stderr


def test_debug_stops_at_the_first_failure(sluggish: Project) -> None:
    sluggish.study["models"].insert(0, STUCK)
    result = sluggish.write().run(*PLUGIN, "--debug")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert not (sluggish.folder / "scores.jsonl").exists()
