"""Every target of XTREME-R and XTREME that the data root holds, from its rows to its scores."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xharness.cli.app import app
from xharness.kinds import SHIPPED

ROOT = Path(os.environ.get("XHARNESS_DATA_ROOT", Path(__file__).parents[3] / "shared" / "data"))
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
ABSENT = {
    "udpos": {"kk", "th", "tl", "yo"},  # never had a validation split, or it is not at hand
    "wikiann": {"th"},
    "tydiqa": {"ar", "bn", "fi", "id", "ru", "te"},
}
KINDS = {"classification", "choice", "tagging", "span", "bitext", "retrieval", "mining"}

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not (ROOT / "unimelb-nlp").is_dir(), reason="the data root is absent"),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("everything")
    study = folder / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    words = ["run", str(study), "--data-root", str(ROOT), "--offline", "-o", str(folder), "--quiet"]
    words += ["--store", str(folder / "store")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3, result.output  # Mewsli-X is nowhere to be had offline
    text = (folder / "scores.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_at_hand_is_scored(rows: list[dict[str, Any]]) -> None:
    scored, missing = defaultdict(set), defaultdict(set)
    for row in rows:
        (missing if "reason" in row else scored)[row["task"]].add(row.get("language"))
    assert set(missing) == {*ABSENT, "mewslix"}, missing
    for task, languages in ABSENT.items():
        assert missing[task] == languages
    counts = {task: len(languages) for task, languages in scored.items()}
    assert counts == {
        "xnli": 15, "pawsx": 7, "xcopa": 11, "udpos": 34, "wikiann": 47, "xquad": 12, "mlqa": 7,
        "tydiqa": 3, "tatoeba": 41, "lareqa": 2, "bucc": 1,
    }  # fmt: skip


def test_each_kind_of_target_is_among_them(rows: list[dict[str, Any]]) -> None:
    assert {row["kind"] for row in rows if "kind" in row} == KINDS
    assert {kind.name for kind in SHIPPED} >= KINDS


def test_partial_data_is_marked(rows: list[dict[str, Any]]) -> None:
    notes = {row["task"]: " ".join(row.get("notes", ())) for row in rows if "kind" in row}
    marked = {task for task, said in notes.items() if "partial data" in said}
    assert {"xnli", "pawsx", "tydiqa"} <= marked
