"""`xharness import`: all or nothing, and rendered as published."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.project import invoke
from xharness.gaps import scores
from xharness.gaps.scores import ScoreRow, StatedAverage

HEAD = "task,metric,model,language,score,source\n"
TABLE = HEAD + "".join(
    f"xnli,acc,XLM-R base,{code},{value},A paper\n"
    for code, value in {"en": 85.8, "de": 78.7, "sw": 66.5, "": 70.0}.items()
)


def _import(folder: Path, text: str = TABLE, *words: str) -> tuple[int, str, str]:
    (folder / "table.csv").write_text(text, encoding="utf-8")
    result = invoke(folder, "import", "table.csv", "--to", "board", *words)
    return result.exit_code, result.stdout, result.stderr


def test_rows_come_in_with_a_study_and_a_warning(tmp_path: Path) -> None:
    code, out, err = _import(tmp_path)
    assert code == 0, err
    rows = list(scores.read(tmp_path / "board" / "scores.jsonl"))
    assert [type(row) for row in rows] == [ScoreRow, ScoreRow, ScoreRow, StatedAverage]
    assert "published rows, 4 of them new" in out
    assert "the stated average 70.0 is contradicted by its own cells" in err
    assert "mean of 3 languages gives 77.00" in err
    assert err.endswith("to see them: xharness leaderboard build board\n")


def test_the_board_marks_them_published_with_their_source(tmp_path: Path) -> None:
    _import(tmp_path)
    result = invoke(tmp_path, "leaderboard", "build", "board")
    assert result.exit_code == 0, result.stderr
    page, published = (
        (tmp_path / "board" / name).read_text(encoding="utf-8")
        for name in ("leaderboard.md", "details/published.md")
    )
    (row,) = [line for line in published.splitlines() if "*published*: A paper" in line]
    assert row.endswith("| 85.8 | 72.6 | 13.2 |")
    assert "its own cells contradict the stated 70.0" in published
    assert "published by others" in page and "| 85.8 | 72.6 | 13.2 |" in page
    assert "xharness run" not in page and "not run" not in page
    assert invoke(tmp_path, "leaderboard", "check", "board").exit_code == 0


def test_importing_again_adds_nothing(tmp_path: Path) -> None:
    _import(tmp_path)
    stored_scores = (tmp_path / "board" / "scores.jsonl").read_bytes()
    code, out, _ = _import(tmp_path)
    assert code == 0 and "0 of them new" in out
    assert (tmp_path / "board" / "scores.jsonl").read_bytes() == stored_scores


def test_another_value_for_a_known_cell_is_refused(tmp_path: Path) -> None:
    _import(tmp_path)
    stored_scores = (tmp_path / "board" / "scores.jsonl").read_bytes()
    code, _, err = _import(tmp_path, TABLE.replace("66.5", "66.6"))
    assert code == 2
    assert "66.6, where 66.5 stands already" in err and "board/scores.jsonl" in err
    assert (tmp_path / "board" / "scores.jsonl").read_bytes() == stored_scores


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        (HEAD + "xnil,acc,m,de,70,A\n", (), "table.csv:2: there is no task card 'xnil'"),
        (TABLE, ("--map", "score"), "--map score; expected NAME=VALUE"),
        (TABLE, ("--set", "speed=1"), "there is no column 'speed'"),
        (TABLE, ("--unit", "percent"), "--unit"),
        (HEAD, (), "no row could be made"),
    ],
)
def test_what_is_wrong_leaves_nothing_behind(
    tmp_path: Path, text: str, words: tuple[str, ...], message: str
) -> None:
    code, _, err = _import(tmp_path, text, *words)
    assert code == 2 and message in err
    assert not (tmp_path / "board").exists()


def test_measured_and_published_rows_share_a_board_but_no_average(tmp_path: Path) -> None:
    """A published arm beside a measured one: no change between them, no mean of both."""
    _import(tmp_path, HEAD + "xnli,acc,mine,en,80,A\nxnli,acc,mine,de,70,A\n")
    path = tmp_path / "board" / "scores.jsonl"
    rows = [row for row in scores.read(path) if isinstance(row, ScoreRow)]
    values = {"strategy": "multitask", "provenance": "measured", "source": None}
    measured = [replace(row, **values, value=row.value - 5) for row in rows]
    scores.write(path, [*rows, *measured])
    result = invoke(tmp_path, "leaderboard", "build", "board")
    assert result.exit_code == 0, result.stderr
    gaps = json.loads((tmp_path / "board" / "leaderboard.json").read_text())["gaps"]
    (change,) = gaps["changes"]
    assert change["gap"] is None and change["undefined"]


def test_json_tells_programs(tmp_path: Path) -> None:
    code, out, _ = _import(tmp_path, TABLE, "--json")
    summary = json.loads(out)
    assert code == 0
    assert (summary["rows"], summary["added"], len(summary["contradicted"])) == (4, 4, 1)


def test_lm_eval_results_say_what_was_left_out(tmp_path: Path) -> None:
    results = {"xnli_de": {"acc,none": 0.4}, "gsm8k": {"acc,none": 0.1}}
    (tmp_path / "results.json").write_text(json.dumps({"results": results, "model_name": "m"}))
    result = invoke(tmp_path, "import", "results.json")
    assert result.exit_code == 0
    assert "no card stands for them: gsm8k" in result.stderr
    assert (tmp_path / "runs" / "results" / "scores.jsonl").is_file()


def test_the_registry_is_listed_without_a_study(tmp_path: Path) -> None:
    result = invoke(tmp_path, "models", "list")
    assert result.exit_code == 0
    assert "FacebookAI/xlm-roberta-base" in result.stdout and "86.0M" in result.stdout
    models = json.loads(invoke(tmp_path, "models", "list", "--json").stdout)
    assert {"name", "hub", "family", "license", "confidence"} <= models[0].keys()
