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
FIGURES = [f"figures/{name}.svg" for name in ("size", "changes", "tasks", "languages")]
NAMES = [*PAGES, *FIGURES]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = synthetic.build(tmp_path_factory.mktemp("board"))
    return folder, write(folder, synthetic.METRICS)


def test_write_makes_the_pages_and_leaves_nothing_else(made):
    folder, paths = made
    assert paths == [folder / name for name in NAMES]
    inputs = {"study.yaml", "scores.jsonl", evidence.FILE}
    assert {one.relative_to(folder).as_posix() for one in folder.rglob("*.*")} == inputs | set(
        NAMES
    )


def test_writing_again_gives_the_same_bytes(made):
    folder, paths = made
    before = [path.read_bytes() for path in paths]
    assert check(folder, synthetic.METRICS) == []
    write(folder, synthetic.METRICS)
    assert [path.read_bytes() for path in paths] == before


def test_check_finds_a_changed_byte_and_a_missing_file(made, tmp_path):
    folder, _ = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    page = tmp_path / "leaderboard.md"
    page.write_bytes(page.read_bytes().replace(b"22.4", b"22.3", 1))
    (tmp_path / "leaderboard.csv").unlink()
    found = check(tmp_path, synthetic.METRICS)
    assert len(found) == 2
    assert "leaderboard.md:" in found[0] and "22.3" in found[0] and "would be" in found[0]
    assert found[1].endswith("leaderboard.csv: there is no such file")


def test_json_holds_every_gap(made):
    page = json.loads((made[0] / "leaderboard.json").read_text(encoding="utf-8"))
    assert page["models"]["mini-l"]["non_embedding_parameters"] == 22_000_000
    arms = {(one["model"], one["strategy"], one["task"]): one for one in page["gaps"]["tasks"]}
    assert arms["mini-s", "single", "copa"]["gap"] is None
    assert {"value", "low", "high", "error"} < set(arms["mini-s", "single", "nli"]["gap"])


def test_csv_holds_every_row_and_every_reason(made):
    with (made[0] / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
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
    assert "no per-item evidence" in (folder / "leaderboard.md").read_text(encoding="utf-8")


def test_a_broken_row_leaves_the_old_pages(made, tmp_path):
    folder = synthetic.build(tmp_path)
    (folder / "leaderboard.md").write_text("old")
    with (folder / "scores.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(ConfigurationError, match=r"scores\.jsonl:\d+"):
        write(folder, synthetic.METRICS)
    assert (folder / "leaderboard.md").read_text() == "old"
