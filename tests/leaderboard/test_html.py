"""The page as a file: nothing in it asks for anything, and no name becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from tests.leaderboard import synthetic

from xharness.leaderboard import read
from xharness.leaderboard.html import page

ODD = "</script><img src=x onerror=alert(1)>{{data}}<!--"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
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


def test_the_same_board_gives_the_same_page(made, tmp_path):
    assert page(synthetic.board(tmp_path)) == made


def test_it_refers_to_nothing_elsewhere(made):
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", made))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    asked = [value for _, own in Reader(made).tags for name, value in own.items()
             if name in ("src", "href", "srcset", "action")]  # fmt: skip
    assert set(asked) == {
        "data:,", "#board", "leaderboard.md", "leaderboard.csv", "leaderboard.json",
    }  # fmt: skip
    assert "url(" not in made and "@import" not in made


def test_its_policy_allows_exactly_its_own_style_and_script(made):
    (policy,) = [own["content"] for tag, own in Reader(made).tags if tag == "meta"
                 and own.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    style = re.search(r"<style>(.*?)</style>", made, re.DOTALL)[1]
    _, script = Reader(made).scripts
    for text, directive in ((style, "style-src"), (script, "script-src")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert not any(name.startswith("on") or name == "style"
                   for _, own in Reader(made).tags for name in own)  # fmt: skip


def test_names_stay_text(odd, made):
    assert [tag for tag, _ in Reader(odd).tags] == [tag for tag, _ in Reader(made).tags]
    assert "<img" not in odd
    values = json.loads(Reader(odd).scripts[0])
    assert ODD in values["models"]
    assert any(ODD in (row["why"] or "") for row in values["rows"])


def test_the_answer_stands_there_without_any_script(made):
    text = made.split("<script", 1)[0]
    assert "narrows the gap for 1 of 3 models" in text and "What limits this answer" in text


def test_its_data_are_the_board_s(made):
    values = json.loads(Reader(made).scripts[0])
    rows = {(one["model"], one["strategy"], one["task"]): one for one in values["rows"]}
    row = rows["mini-l", "multitask", None]
    assert row["tasks"] == ["ner", "nli"] and row["gap"][0] == pytest.approx(9.3, abs=0.1)
    assert values["models"]["mini-l"] == {
        "total": 118_000_000,
        "body": 22_000_000,
        "family": "midi",
    }
    (copa,) = [one for one in values["maps"] if one["task"] == "copa"]
    assert copa["source"] is None and copa["codes"] == ["et", "qu"]
