"""The page: against the golden file, and what it must say in each case."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.leaderboard import synthetic
from tests.leaderboard.renew import every_page

from xharness.gaps import Estimate, scores
from xharness.gaps.scores import ScoreRow
from xharness.leaderboard import read
from xharness.leaderboard.markdown import details
from xharness.leaderboard.text import (
    Footnotes,
    escape,
    language,
    parameters,
    points,
    signed,
    with_interval,
)

GOLDEN = Path(__file__).with_name("golden.md")


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    return every_page(synthetic.board(tmp_path_factory.mktemp("board")))


def section(page: str, heading: str) -> str:
    """What stands under a heading, down to the next one."""
    return re.split(r"\n#+ ", page.split(f"# {heading}\n", 1)[1])[0]


def test_the_pages_are_the_golden_ones(page):
    """To renew it: python -m tests.leaderboard.renew, then read the difference."""
    assert page == GOLDEN.read_text(encoding="utf-8")


def test_the_answer_and_its_table_come_first_and_failures_are_told(page):
    lines = page.splitlines()[1:]
    assert lines[2].startswith("**Over 2 tasks of mini-l, multitask: narrows, others gain (Δ gap ")
    assert max(index for index, line in enumerate(lines[:40]) if line.startswith("| ")) < 20
    assert "broken × single and broken × multitask: failed: no weights in the folder" in page


def test_an_undefined_gap_is_a_word_with_a_reason(page):
    copa = section(page, "copa")
    row = next(line for line in copa.splitlines() if line.startswith("| mini-s | single"))
    assert "*undefined*<sup>2</sup>" in row
    assert "<sup>2</sup> no test set in the source language<br>" in copa
    assert "51.8 [" in row  # the mean over languages stands


@pytest.mark.parametrize(
    "reason",
    [
        "failed: no weights in the folder",
        "failed: the loss is not finite at step 40",
        "without seed 3: not run",
        "without Urdu: data: no file for ur",
        "partial data: 150 of 1000 rows (sw)",
        "limited to 150 items a language",
        "other split: validation, not test",
        "no per-item evidence: the choice of items is not counted in",
        "the size is not known",
    ],
)
def test_every_reason_is_on_the_page(page, reason):
    assert re.search(rf"<sup>\d+</sup> (\w+: )?{re.escape(reason)}", page)


def test_only_a_model_s_name_is_left_out_where_it_stands_above(page):
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert rows and not any(re.search(r"\|\s+\|", line[2:]) for line in rows)


def test_all_rows_of_a_table_have_as_many_cells_as_its_header(page):
    for block in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(counts) == 1, block


def test_every_mark_has_its_note(page):
    for table, notes in re.findall(r"((?:^\|.*\n)+)\n((?:<sup>.*\n)*)", page, re.MULTILINE):
        marks = ",".join(re.findall(r"<sup>([\d, ]+)", table))
        marks_used = {int(number) for number in marks.split(",") if number}
        notes_there = re.findall(r"^<sup>(\d+)", notes, re.MULTILINE)
        assert marks_used == {*map(int, notes_there)}


def test_names_stay_text(page):
    assert "<script" not in page and "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|x" in page


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a|b", "a\\|b"),
        ("<i>x</i> & y", "&lt;i&gt;x&lt;/i&gt; &amp; y"),
        ("squad_v1", "squad_v1"),
        ("__init__", "\\_\\_init\\_\\_"),
        ("*x* `y` [z](w)", "\\*x\\* \\`y\\` \\[z\\](w)"),
        ("two\nlines", "two lines"),
        ("$x$", "&#36;x&#36;"),
        ("+1.0 [−2.0, +3.0], [1, 2](x)", "+1.0 [−2.0, +3.0], \\[1, 2\\](x)"),
    ],
)
def test_escape(text, safe):
    assert escape(text) == safe


def test_numbers():
    assert [points(number) for number in (12.34, -0.04, -3.0)] == ["12.3", "0.0", "−3.0"]
    assert [signed(number) for number in (1.0, 0.04, -1.0)] == ["+1.0", "0.0", "−1.0"]
    assert with_interval(Estimate(1, -2, 3), change=True) == "+1.0 [−2.0, +3.0]"
    assert with_interval(Estimate(1)) == "1.0"
    sizes = (None, 820, 4_100, 3_250_000, 21_300_000, 118_000_000, 1_200_000_000)
    assert [parameters(number) for number in sizes] == [
        "—", "820", "4.1K", "3.2M", "21.3M", "118M", "1.2B",
    ]  # fmt: skip
    assert [language("sw"), language("xx")] == ["sw Swahili", "xx"]


def test_footnotes_are_numbered_once():
    notes = Footnotes()
    marks = [notes.mark("a"), notes.mark("b", "a"), notes.mark()]
    assert marks == ["<sup>1</sup>", "<sup>1, 2</sup>", ""]


def test_a_study_may_borrow_a_source_language_score(tmp_path):
    folder = synthetic.build(tmp_path)
    lender = {"task": "copa_en", "language": "en", "source_language": "en", "value": 81.0}
    rows = [*scores.read(folder / "scores.jsonl")]
    lent = [
        replace(row, **lender, stage=None)
        for row in rows
        if isinstance(row, ScoreRow) and (row.task, row.language) == ("copa", "et")
    ]
    scores.write(folder / "scores.jsonl", [*rows, *lent])
    with (folder / "study.yaml").open("a", encoding="utf-8") as file:
        file.write("source_score_from: {copa: CopaEN}\n")
    board = read(folder, synthetic.METRICS, card_name={"CopaEN": "copa_en"}.get)
    copa = section(details(board)["details/tasks.md"], "copa")
    (small,) = [line for line in copa.splitlines() if line.startswith("| mini-s | single")]
    assert "| 81.0 |" in small and "*undefined*" not in small
    assert "English is the test split of copa_en" in copa
    assert "script" not in copa, "who has no score of a task needs no reference for it"
