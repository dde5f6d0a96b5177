"""Every target of XTREME-R and XTREME that the data root holds, from its rows to its scores."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from xharness.cli.app import app

STUDY = """
name: everything
models: [{name: ngrams, backend: ngrams}]
strategies: [single]
targets:
  - {task: xnli, split: validation, limit: 6}
  - {task: pawsx, split: validation, limit: 6}
  - {task: xcopa, limit: 6}
  - {task: udpos, split: validation, limit: 6}
  - {task: wikiann, split: validation, limit: 6}
  - {task: xquad, limit: 3}
  - {task: mlqa, split: validation, limit: 3}
  - {task: tydiqa, limit: 3}
  - {task: tatoeba, limit: 20}
  - {task: lareqa, languages: [en, de], limit: 3}
  - {task: bucc, languages: [zh], split: validation, limit: 30}
  - {task: mewslix, limit: 3}
train_limit: 20
"""
LANGUAGES = {
    "xnli": 15, "pawsx": 7, "xcopa": 11, "udpos": 38, "wikiann": 48, "xquad": 12, "mlqa": 7,
    "tydiqa": 9, "tatoeba": 41, "lareqa": 2, "bucc": 1,
}  # fmt: skip
MAY_BE_ABSENT = {
    "udpos": {"kk", "th", "tl", "yo"},  # without a published validation split, most of them
    "wikiann": {"th"},
    "tydiqa": {"ar", "bn", "fi", "id", "ru", "te"},
    "mewslix": {None},
}
TASK_TYPES = {
    "classification",
    "multiple_choice",
    "tagging",
    "extractive_qa",
    "bitext_retrieval",
    "retrieval",
    "bitext_mining",
}

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def rows(data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("everything")
    study = folder / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    words = ["run", str(study), "--data-root", str(data_root), "--offline", "--quiet"]
    words += ["-o", str(folder), "--store", str(folder / "store")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code in (0, 3), result.output  # 3: some of it is not at hand
    text = (folder / "scores.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_at_hand_is_scored(rows: list[dict[str, Any]]) -> None:
    scored_languages: dict[str, set[str | None]] = defaultdict(set)
    missing: dict[str, set[str | None]] = defaultdict(set)
    for row in rows:
        (missing if "reason" in row else scored_languages)[row["task"]].add(row.get("language"))
    for task, languages in missing.items():
        assert languages <= MAY_BE_ABSENT.get(task, set()), task
    for task, count in LANGUAGES.items():
        assert len(scored_languages[task]) == count - len(missing[task]), task


def test_each_kind_of_target_is_among_them(rows: list[dict[str, Any]]) -> None:
    assert {row["task_type"] for row in rows if "task_type" in row} >= TASK_TYPES


def test_partial_data_is_marked_and_whole_data_is_not(
    data_root: Path, rows: list[dict[str, Any]]
) -> None:
    files = (data_root / "google-research-datasets" / "paws-x" / "en").glob("validation*.parquet")
    row_count = sum(pq.read_metadata(file).num_rows for file in files)
    (pawsx,) = [row for row in rows if (row["task"], row.get("language")) == ("pawsx", "en")]
    notes = [note for note in pawsx.get("notes", ()) if note.startswith("partial data")]
    full_note = f"partial data: validation has {row_count} of 2000 rows"
    assert notes == ([] if row_count == 2000 else [full_note])
    tatoeba = [row for row in rows if row["task"] == "tatoeba" and "task_type" in row]
    assert not any("partial data" in note for row in tatoeba for note in row["notes"])
