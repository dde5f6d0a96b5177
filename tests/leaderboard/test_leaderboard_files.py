"""The files of a board folder."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from tests.leaderboard import synthetic

from xharness.errors import ConfigurationError
from xharness.gaps import evidence
from xharness.leaderboard import check, write

PAGES = ["leaderboard.md", "leaderboard.html", "leaderboard.json", "leaderboard.csv"]
DETAILS = [
    f"details/{name}.md"
    for name in ("arms", "tasks", "languages", "sizes", "published", "limits", "provenance")
]
FIGURES = [f"figures/{name}.svg" for name in ("changes", "tasks", "size", "languages")]
NAMES = [*PAGES, *DETAILS, *FIGURES]


@pytest.fixture(scope="module")
def board_folder(tmp_path_factory):
    folder = synthetic.build(tmp_path_factory.mktemp("board"))
    return folder, write(folder, synthetic.METRICS)


def test_write_makes_the_pages_and_leaves_nothing_else(board_folder):
    folder, paths = board_folder
    assert paths == [folder / name for name in NAMES]
    inputs = {"study.yaml", "scores.jsonl", evidence.FILE}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")} == inputs | set(
        NAMES
    )


def test_writing_again_gives_the_same_bytes(board_folder):
    folder, paths = board_folder
    contents = [path.read_bytes() for path in paths]
    assert check(folder, synthetic.METRICS) == []
    write(folder, synthetic.METRICS)
    assert [path.read_bytes() for path in paths] == contents


def test_check_finds_a_changed_byte_and_a_missing_file(board_folder, tmp_path):
    folder, _ = board_folder
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    page = tmp_path / "leaderboard.md"
    page.write_bytes(page.read_bytes().replace(b"| baseline |", b"| basement |", 1))
    (tmp_path / "leaderboard.csv").unlink()
    differences = check(tmp_path, synthetic.METRICS)
    assert len(differences) == 2
    assert "leaderboard.md:" in differences[0] and "would be" in differences[0]
    assert differences[1].endswith("leaderboard.csv: there is no such file")


def test_json_holds_every_gap(board_folder):
    page = json.loads((board_folder[0] / "leaderboard.json").read_text(encoding="utf-8"))
    assert page["models"]["mini-l"]["non_embedding_parameters"] == 22_000_000
    arms = {(gap["model"], gap["strategy"], gap["task"]): gap for gap in page["gaps"]["tasks"]}
    assert arms["mini-s", "single", "copa"]["gap"] is None
    assert {"value", "low", "high", "error"} <= set(arms["mini-s", "single", "nli"]["gap"])


def test_csv_holds_every_row_and_every_reason(board_folder):
    with (board_folder[0] / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["value"] != "" for row in rows) == 150
    assert all((row["value"] == "") == (row["reason"] != "") for row in rows)
    assert any(row["notes"] == "partial data: 150 of 1000 rows" for row in rows)


def test_a_folder_without_scores_says_how_to_get_them(tmp_path):
    (tmp_path / "study.yaml").write_text(synthetic.STUDY)
    with pytest.raises(ConfigurationError, match="xharness run"):
        write(tmp_path, synthetic.METRICS)


def test_without_evidence_there_is_a_board_without_item_intervals(tmp_path):
    folder = synthetic.build(tmp_path)
    (folder / evidence.FILE).unlink()
    write(folder, synthetic.METRICS)
    assert "no per-item evidence" in (folder / "details/limits.md").read_text(encoding="utf-8")


def test_a_broken_row_leaves_the_old_pages(board_folder, tmp_path):
    folder = synthetic.build(tmp_path)
    (folder / "leaderboard.md").write_text("earlier")
    with (folder / "scores.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(ConfigurationError, match=r"scores\.jsonl:\d+"):
        write(folder, synthetic.METRICS)
    assert (folder / "leaderboard.md").read_text() == "earlier"


def test_json_begins_with_the_first_screen(board_folder):
    page = json.loads((board_folder[0] / "leaderboard.json").read_text(encoding="utf-8"))
    assert page["headline"].startswith("Over 2 tasks") and page["is_claim"]
    assert {"verdicts", "trends", "table", "badges"} <= set(page)
    verdicts = {(row["model"], row["strategy"]): row["verdict"] for row in page["verdicts"]}
    assert verdicts["mini-l", "multitask"] == "narrows, others gain"
    assert verdicts["mini-s", "multitask"] == "EXPLORATORY"


def test_only_files_that_a_board_lists_as_its_own_are_ever_removed(board_folder, tmp_path):
    folder, _ = board_folder
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    picture_of_user = tmp_path / "figures" / "talk.svg"
    picture_of_user.write_text("<svg/>")
    stale = tmp_path / "figures" / "ages.svg"
    stale.write_text("<svg/>")
    manifest = tmp_path / "leaderboard.json"
    page = json.loads(manifest.read_bytes())
    outside = ["../study.yaml", "study.yaml", "figures/../scores.jsonl", "/etc/passwd", 3]
    page["files"] += ["figures/ages.svg", *outside]
    manifest.write_text(json.dumps(page))
    assert any(
        "ages.svg: would not be there" in line for line in check(tmp_path, synthetic.METRICS)
    )
    write(tmp_path, synthetic.METRICS)
    assert (
        picture_of_user.is_file() and not stale.exists() and (tmp_path / "scores.jsonl").is_file()
    )
    assert check(tmp_path, synthetic.METRICS) == []
    manifest.write_text("{")
    write(tmp_path, synthetic.METRICS)
    assert picture_of_user.is_file()
