"""The commands that only look: plan, cards, models, leaderboard, show, doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.project import Project, invoke
from xharness.plugin import manager
from xharness.plugin.catalogue import Catalogue
from xharness.session import card_schema

REPOSITORY = Path(__file__).parents[2]


def _json(project: Project, *words: str) -> Any:
    result = invoke(project.folder, *words)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_plan_counts_what_will_run(project: Project) -> None:
    plan = _json(project, *project.words("plan", "--json"))
    assert [stage["state"] for stage in plan["stages"]] == ["run"] * 6
    assert plan["to_run"] == {"examples": 80, "steps": 8, "items": 120, "seconds": None}
    assert not (project.folder / "store").exists()


def test_a_plan_knows_what_is_stored_and_how_long_it_took(project: Project) -> None:
    project.run()
    project.study["seeds"] = [1, 2]
    project.write()
    plan = _json(project, *project.words("plan", "--json"))
    states = {stage["stage"]: stage["state"] for stage in plan["stages"]}
    assert states["most · train mood · seed 1"] == "stored"
    assert states["most · train mood · seed 2"] == "run"
    assert plan["to_run"]["seconds"] > 0
    output = invoke(project.folder, *project.words("plan")).stdout
    assert "6 stored, 6 run" in output and "about" in output


def test_a_plan_lists_what_is_missing(project: Project) -> None:
    (project.folder / "data" / "mood.sw.test.jsonl").unlink()
    result = invoke(project.folder, *project.words("plan"))
    assert result.exit_code == 3
    assert "missing" in result.stdout and "mood.sw.test.jsonl" in result.stdout


def test_cards_are_listed_by_role_and_task_type(project: Project) -> None:
    def names(*words: str) -> list[str]:
        return [row["card"] for row in _json(project, "cards", "list", *words, "--json")]

    assert names("--group", "xtreme-r", "--task-type", "extractive_qa") == [
        "xquad",
        "mlqa",
        "tydiqa",
    ]
    assert set(names("--role", "intermediate")) >= set(names("--group", "intermediate"))
    assert (
        "no card is like that"
        in invoke(
            project.folder, "cards", "list", "--role", "corpus", "--task-type", "extractive_qa"
        ).stdout
    )
    for flag, misspelling, nearest_name in (
        ("--role", "targt", "target"),
        ("--task-type", "multiple_chioce", "multiple_choice"),
    ):
        result = invoke(project.folder, "cards", "list", flag, misspelling)
        assert (result.exit_code, f"did you mean '{nearest_name}'?" in result.stderr) == (2, True)


def test_a_group_is_listed_in_its_own_languages(project: Project) -> None:
    rows = _json(project, "cards", "list", "--group", "xtreme", "--json")
    (xquad,) = (row for row in rows if row["card"] == "xquad")
    assert "ro" not in xquad["languages"]


def test_cards_become_pages(project: Project) -> None:
    files = _json(project, "cards", "docs", "pages", "--json")
    assert "pages/xnli.md" in files
    assert "# XNLI" in (project.folder / "pages" / "xnli.md").read_text(encoding="utf-8")
    (project.folder / "pages" / "xnli.md").write_text("old")
    made_here = (project.folder / "pages" / "xcopa.md").read_text(encoding="utf-8")
    (project.folder / "pages" / "gone.md").write_text(made_here, encoding="utf-8")
    text = invoke(project.folder, "cards", "docs", "pages").stdout
    assert text == "pages/gone.md: removed\npages/xnli.md\n2 files changed\n"
    assert invoke(project.folder, "cards", "docs", "pages").stdout == "all is as the cards say\n"
    (project.folder / "taken").write_text("a file, no folder")
    result = invoke(project.folder, "cards", "docs", "taken")
    assert (result.exit_code, "taken: cannot be written" in result.stderr) == (2, True)


def test_cards_are_listed_by_group(project: Project) -> None:
    names = [row["card"] for row in _json(project, "cards", "list", "--group", "qa", "--json")]
    assert names == ["mlqa", "tydiqa", "xquad"]
    assert "xnli" in invoke(project.folder, "cards", "list").stdout
    result = invoke(project.folder, "cards", "list", "--group", "qaa")
    assert result.exit_code == 2 and "did you mean 'qa'?" in result.stderr


def test_a_card_is_shown_with_its_provider(project: Project) -> None:
    assert _json(project, "cards", "show", "xnli", "--json")["task_type"] == "classification"
    for name in ("xnli", "XNLI", "xnli_de"):
        output = invoke(project.folder, "cards", "show", name).stdout
        assert "offered by builtin" in output and "name: xnli" in output
    result = invoke(project.folder, "cards", "show", "xtreme_r")
    assert result.exit_code == 2 and "xharness cards list --group xtreme-r" in result.stderr
    result = invoke(project.folder, "cards", "show", "xnil")
    assert result.exit_code == 2 and "did you mean 'xnli'?" in result.stderr


def test_a_folder_of_cards_may_hold_a_study_too(project: Project) -> None:
    project.run()
    result = invoke(project.folder, "cards", "list", "--cards", ".", "--json")
    assert result.exit_code == 0, result.stderr
    assert "mood" in {row["card"] for row in json.loads(result.stdout)}
    assert result.stderr == "cards of .: 1 file is no card and left out, such as study.yaml\n"


def test_two_cards_of_one_name_in_a_folder_are_both_named(project: Project) -> None:
    (project.folder / "cards" / "more").mkdir()
    text = (project.folder / "cards" / "mood.yaml").read_text(encoding="utf-8")
    (project.folder / "cards" / "more" / "mood.yaml").write_text(text, encoding="utf-8")
    result = invoke(project.folder, "cards", "list", "--cards", "cards")
    assert result.exit_code == 2
    assert "'mood' stands in two files: cards/mood.yaml and cards/more/mood.yaml" in result.stderr


def test_a_card_of_a_name_that_is_taken_is_renamed(project: Project) -> None:
    project.cards["xnli"] = {**project.cards["mood"], "name": "xnli"}
    project.write()
    result = invoke(project.folder, "cards", "show", "xnli", "--cards", "cards")
    assert result.exit_code == 2 and "builtin (xharness-eval" in result.stderr
    assert "rename cards/xnli.yaml" in result.stderr and "uninstall" not in result.stderr


def test_cards_are_validated(project: Project) -> None:
    assert invoke(project.folder, "cards", "validate").exit_code == 0
    assert invoke(project.folder, "cards", "validate", "cards").exit_code == 0
    project.cards["mood"]["metrics"] = ["acuracy"]
    project.write()
    result = invoke(project.folder, "cards", "validate", "cards/mood.yaml")
    assert result.exit_code == 2
    assert "mood.yaml:" in result.stderr and "did you mean 'accuracy'?" in result.stderr
    assert "0 of 1 cards are right" in result.stdout


def test_the_published_schema_is_current() -> None:
    published = (REPOSITORY / "task_cards" / "schema.json").read_text(encoding="utf-8")
    advice = "run `xharness cards docs` in the repository, and commit what it wrote"
    assert published == card_schema.text(Catalogue(manager.load())), advice


def test_models_have_sizes_once_they_ran(project: Project) -> None:
    words = [*project.words("models", "--json")]
    words.insert(1, "list")
    assert [row["parameters"] for row in _json(project, *words)] == [None, None]
    project.run()
    sizes = [(row["model"], row["parameters"]) for row in _json(project, *words)]
    assert sizes == [("most", 2), ("grams", 2 * 257)]
    project.study["models"][1]["bits"] = 9
    project.write()
    assert [row["parameters"] for row in _json(project, *words)] == [2, None]


def test_a_changed_board_is_found(project: Project) -> None:
    project.run()
    page = project.folder / "leaderboard.md"
    page.write_text(page.read_text(encoding="utf-8").replace("| grams |", "| Grams |"))
    result = invoke(project.folder, "leaderboard", "check", ".")
    assert result.exit_code == 1
    assert "leaderboard.md:" in result.stdout and "Grams" in result.stdout
    assert invoke(project.folder, "leaderboard", "build", ".").exit_code == 0
    assert invoke(project.folder, "leaderboard", "check", ".").exit_code == 0


def test_a_board_without_scores(project: Project) -> None:
    result = invoke(project.folder, "leaderboard", "build", ".")
    assert result.exit_code == 2 and "run it first" in result.stderr


def test_a_stage_is_shown_by_the_start_of_its_key(project: Project) -> None:
    project.run()
    key = project.receipts()["most · train mood · seed 1"]["key"]
    facts = _json(project, "show", key[:8], "--store", "store", "--json")
    assert facts["key"] == key and facts["facts"]["training"] == {"examples": 40}
    output = invoke(project.folder, "show", key[:8], "--store", "store").stdout
    assert "label: most · train mood · seed 1" in output
    result = invoke(project.folder, "show", "zz", "--store", "store")
    assert result.exit_code == 2 and "no stage whose key starts so" in result.stderr


def test_a_run_is_shown_by_its_folder(project: Project) -> None:
    project.run()
    assert len(_json(project, "show", ".", "--json")) == 6
    assert "grams" in invoke(project.folder, "show", ".").stdout


def test_the_doctor_describes_the_machine(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr("xharness.cli.doctor._devices", lambda: ["cpu (2 threads)"])
    facts = _json(project, "doctor", "--store", "store", "--data-root", "data", "--json")
    assert facts["data root"] == "data" and facts["devices"] == ["cpu (2 threads)"]
    assert "numpy" in facts["packages"]
    output = invoke(project.folder, "doctor").stdout
    assert "free disk" in output and "secret" not in output


def test_offline_is_set_before_any_library_asks(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setattr("xharness.cli.doctor._devices", list)
    facts = _json(project, "doctor", "--offline", "--json")
    assert facts["offline"] is True
    assert facts["environment"]["HF_HUB_OFFLINE"] == "1"
