"""Boards of studies that can tell little: each says so, and none says what it can't know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.gaps.handmade import METRICS, Rows, right
from tests.gaps.test_gap_laws import answers

from xharness.gaps import evidence, scores
from xharness.leaderboard import check, write

STUDY = """\
name: poor
title: "Does multitask narrow the gap?"
models: [{name: m, backend: none}]
strategies: [single, multitask]
targets: [nli]
seeds: [1, 2, 3]
"""
LOW = {"en": 0.9, "sw": 0.5, "th": 0.5}
HIGH = {"en": 0.9, "sw": 0.8, "th": 0.8}
ARMS = ("single", "multitask")


def _one_task() -> Rows:
    rows = Rows()
    for index, (name, rates) in enumerate(zip(ARMS, (LOW, HIGH), strict=True)):
        rows.arm(answers(index, 300, rates, 3), strategy=name)
    return rows


def _other_seeds() -> Rows:
    rows = Rows().arm(answers(1, 300, LOW, 3), seeds=[1, 2, 3])
    return rows.arm(answers(2, 300, HIGH, 3), strategy="multitask", seeds=[7, 8, 9])


def _failed_seed() -> Rows:
    rows = Rows().arm(answers(1, 300, LOW, 3)).arm(answers(2, 300, HIGH, 2), strategy="multitask")
    return rows.missing("out of memory", strategy="multitask", seed=3)


def _five_items() -> Rows:
    rows = Rows()
    for name, german in zip(ARMS, ([0] * 5, [1] * 5), strict=True):
        rows.arm({**answers(3, 300, LOW, 3), "de": [german] * 3}, strategy=name)
    return rows


def _all_equal() -> Rows:
    rows, same = Rows(), {"en": [right(80, 100)] * 3, "sw": [right(60, 100)] * 3}
    for name in ARMS:
        rows.arm(same, strategy=name)
    return rows


def _all_wrong_elsewhere() -> Rows:
    rows, same = Rows(), {"en": [right(80, 100)] * 3, "sw": [right(0, 100)] * 3}
    for name in ARMS:
        rows.arm(same, strategy=name)
    return rows


def _one_language() -> Rows:
    rows = Rows()
    for name in ARMS:
        rows.arm({"en": [right(80, 100)] * 3}, strategy=name)
    return rows


def _no_model() -> Rows:
    rows = Rows()
    for name in ARMS:
        rows.missing("the model can't be loaded", strategy=name, seed=None)
    return rows


CASES = {
    "one task": (_one_task, "multitask: narrows, others gain", True),
    "other seeds": (_other_seeds, "multitask: narrows, others gain", True),
    "a failed seed": (_failed_seed, "EXPLORATORY", False),
    "five items": (_five_items, "EXPLORATORY: few items of nli (de)", False),
    "all equal": (_all_equal, "open", False),
    "all wrong elsewhere": (_all_wrong_elsewhere, "open", False),
    "one language": (_one_language, "no language beside English", False),
    "no model": (_no_model, "Nothing was scored.", False),
}


@pytest.mark.parametrize("case", CASES)
def test_it_says_what_it_can_not_tell(case: str, tmp_path: Path) -> None:
    rows_of_case, expected, is_claim = CASES[case]
    rows = rows_of_case()
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    scores.write(tmp_path / "scores.jsonl", rows.rows)
    evidence.write(tmp_path / evidence.FILE, rows.evidence.values())
    write(tmp_path, METRICS)
    assert check(tmp_path, METRICS) == []
    page = (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert expected in page
    board = json.loads((tmp_path / "leaderboard.json").read_text(encoding="utf-8"))
    assert board["is_claim"] is is_claim
    assert not [text for text in ("nan", "inf", "None") if f" {text} " in page]
    assert not [*_points_of_no_width(board)]


def _points_of_no_width(value: Any) -> Iterator[Any]:
    """Intervals whose ends are one point."""
    if isinstance(value, dict):
        if value.get("low") is not None and value.get("low") == value.get("high"):
            yield value
        # What is detectable has a range of its own, which items alone make a point.
        for name in value.keys() - {"detectable"}:
            yield from _points_of_no_width(value[name])
    elif isinstance(value, list):
        for part in value:
            yield from _points_of_no_width(part)
