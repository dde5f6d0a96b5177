"""The page as a file: nothing in it asks for anything, and no name becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.leaderboard import synthetic

from xharness.gaps import LearningCheck
from xharness.leaderboard import read
from xharness.leaderboard.html import page
from xharness.leaderboard.html.data import data

ODD = "</script><img src=x onerror=alert(1)>{{data}}<!--"


@pytest.fixture(scope="module")
def page_text(tmp_path_factory):
    return page(synthetic.board(tmp_path_factory.mktemp("board")))


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """The page of a board whose names, reasons and texts are an attack."""
    folder = synthetic.build(tmp_path_factory.mktemp("odd"))
    for name in ("scores.jsonl", "study.yaml"):
        text = (folder / name).read_text(encoding="utf-8")
        text = text.replace(synthetic.ODD, ODD)
        text = text.replace("failed: no weights", f"failed: {ODD}").replace("made-up", ODD)
        (folder / name).write_text(text, encoding="utf-8")
    return page(read(folder, synthetic.METRICS))


class Reader(HTMLParser):
    """Tags with their attributes, and the text of scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and self.scripts[-1] == "":
            self.scripts[-1] = data


def test_the_same_board_gives_the_same_page(page_text, tmp_path):
    assert page(synthetic.board(tmp_path)) == page_text


def test_it_refers_to_nothing_elsewhere(page_text):
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", page_text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    attributes = [pair for _, pairs in Reader(page_text).tags for pair in pairs.items()]
    names = ("src", "href", "srcset", "action")
    addresses_used = [value for name, value in attributes if name in names]
    assert set(addresses_used) == {
        "data:,", "#board", "#languages", "#about",
        "leaderboard.md", "leaderboard.csv", "leaderboard.json",
    }  # fmt: skip
    assert "url(" not in page_text and "@import" not in page_text


def test_its_policy_allows_exactly_its_own_style_and_script(page_text):
    metas = [attributes for tag, attributes in Reader(page_text).tags if tag == "meta"]
    header = "Content-Security-Policy"
    (policy,) = [meta["content"] for meta in metas if meta.get("http-equiv") == header]
    style = re.search(r"<style>(.*?)</style>", page_text, re.DOTALL)[1]
    _, script = Reader(page_text).scripts
    for text, directive in ((style, "style-src"), (script, "script-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert not any(name.startswith("on") or name == "style"
                   for _, attributes in Reader(page_text).tags for name in attributes)  # fmt: skip


def test_names_stay_text(odd, page_text):
    assert [tag for tag, _ in Reader(odd).tags] == [tag for tag, _ in Reader(page_text).tags]
    assert "<img" not in odd
    values = json.loads(Reader(odd).scripts[0])
    assert ODD in values["models"]
    assert any(ODD in text for text in values["texts"])


def test_the_answer_stands_there_without_any_script(page_text):
    text = page_text.split("<script", 1)[0]
    assert "multitask: narrows, others gain (Δ gap −" in text
    assert text.index("narrows, others gain") < text.index("<table>") < text.index("What limits")


def test_its_data_are_the_board_s(page_text):
    values = json.loads(Reader(page_text).scripts[0])
    rows = {(row["model"], row["strategy"], row["task"]): row for row in values["rows"]}
    row = rows["mini-l", "multitask", None]
    assert [values["tasks"][task] for task in row["tasks"]] == ["ner", "nli"]
    assert row["gap"][0] == 93
    assert values["models"]["mini-l"] == {
        "total": 118_000_000,
        "body": 22_000_000,
        "family": "midi",
    }
    (copa,) = [row for row in values["maps"] if row["task"] == "copa"]
    assert copa["source"] is None and copa["codes"] == ["et", "qu"]


def test_a_change_of_an_arm_that_has_not_learnt_is_marked(tmp_path):
    board = synthetic.board(tmp_path)
    blind = LearningCheck("not learnt", 33.3)
    tasks = tuple(
        replace(gap, learning=blind) if (gap.model, gap.task) == ("mini-l", "nli") else gap
        for gap in board.gaps.tasks
    )
    blinded = replace(board, gaps=replace(board.gaps, tasks=tasks))
    assert _unlearnt(blinded) - _unlearnt(board) == {("mini-l", "nli")}


def _unlearnt(board):
    rows = data(board)["rows"]
    return {(row["model"], board.tasks[row["task"]]) for row in rows if row.get("unlearnt")}
