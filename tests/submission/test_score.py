"""`xharness score` on a submission whose scores are known by hand."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from tests.submission import handmade


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return handmade.write(tmp_path)


def test_every_number_is_the_one_computed_by_hand(folder: Path) -> None:
    result = handmade.score(folder)
    assert result.exit_code == 0, result.stderr
    official, f1_only = handmade.scores(folder)["scores"]
    assert official["question_answering"] == "mean of EM and F1"
    tasks = {name: task_score["value"] for name, task_score in official["tasks"].items()}
    assert tasks == pytest.approx(handmade.MEANS, abs=1e-9)
    for name, members in handmade.FAMILIES.items():
        mean = fmean(handmade.MEANS[task] for task in members)
        assert official["families"][name]["value"] == pytest.approx(mean, abs=1e-9)
    assert official["suite"]["value"] == pytest.approx(fmean(handmade.MEANS.values()), abs=1e-9)

    assert f1_only["question_answering"] == "F1 only"
    means = handmade.MEANS | handmade.F1
    assert f1_only["families"]["qa"]["value"] == pytest.approx(fmean(handmade.F1.values()))
    assert f1_only["suite"]["value"] == pytest.approx(fmean(means.values()), abs=1e-9)


def test_languages_and_items_are_told(folder: Path) -> None:
    output = handmade.score(folder).stdout
    xquad = handmade.scores(folder)["tasks"]["xquad"]
    assert xquad["en"] == pytest.approx(
        {"items": 2, "squad_mean": (50 + 250 / 3) / 2, "exact_match": 50, "f1": 250 / 3}
    )
    assert "2 of 2 languages" in output
    assert "udpos: as seqeval counts since 0.0.16, CCONJ and SCONJ being one type\n" in output
    assert [*handmade.scores(folder)["rules"]] == ["udpos"]
    assert "question answering as F1 only" in output
    assert "question answering as mean of EM and F1 (official)" in output


def test_without_question_answering_there_is_one_table(folder: Path) -> None:
    result = handmade.score(folder, "--tasks", "xnli,panx")
    assert result.exit_code == 0, result.stderr
    assert "question answering" not in result.stdout
    (only,) = handmade.scores(folder)["scores"]
    assert {*only["tasks"]} == {"xnli", "wikiann"}
    assert only["families"]["classification"] == {
        "value": None, "undefined": "not scored: xcopa", "tasks": ["xnli", "xcopa"],
    }  # fmt: skip
    assert only["suite"]["value"] is None


def test_some_languages_say_of_how_many_and_leave_the_rest_undefined(folder: Path) -> None:
    for file in ("predictions/xnli/test-de.tsv", "labels/xnli/test-de.tsv"):
        (folder / file).unlink()
    result = handmade.score(folder, "--languages", "en", "--tasks", "xnli")
    assert result.exit_code == 0, result.stderr
    assert "1 of 2 languages" in result.stdout
    (only,) = handmade.scores(folder)["scores"]
    assert only["tasks"]["xnli"] == {"value": 75.0, "languages": 1, "of": 2}
    reason = only["families"]["classification"]["undefined"]
    assert reason == "not scored: xcopa; xnli lacks 1 of 2 languages: de"


def test_a_filter_chooses_languages(folder: Path) -> None:
    assert handmade.score(folder, "--languages", "script:Hani").exit_code == 0
    tasks = handmade.scores(folder)["tasks"]
    assert {name: [*codes] for name, codes in tasks.items()} == {
        name: ["zh"] for name in ("xcopa", "udpos", "xquad", "tatoeba")
    }


def test_a_subset_of_tasks_is_what_has_a_folder(folder: Path) -> None:
    for name in ("xcopa", "panx", "udpos", "xquad", "mlqa", "tatoeba"):
        for file in (folder / "predictions" / name).iterdir():
            file.unlink()
        (folder / "predictions" / name).rmdir()
    assert handmade.score(folder).exit_code == 0
    assert [*handmade.scores(folder)["tasks"]] == ["xnli"]


def test_hidden_files_and_languages_of_other_suites_are_passed_over(folder: Path) -> None:
    (folder / "predictions" / ".DS_Store").write_bytes(b"\x00")
    (folder / "predictions" / "xnli" / ".DS_Store").write_bytes(b"\x00")
    (folder / "predictions" / "xnli" / "test-sw.tsv").write_text("neutral\n")
    assert handmade.score(folder).exit_code == 0
    assert {*handmade.scores(folder)["tasks"]["xnli"]} == {"en", "de"}
