"""What is wrong with a submission is told by file and line; nothing is written then."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.submission import handmade

_SQUAD_TWICE = '{"a": "x",\n "b": "y",\n "a": "z"}'
BROKEN = {
    "too few lines": ("xnli/test-en.tsv", "neutral\n", "test-en.tsv:1: 1 lines; expected 4, as in"),
    "too many lines": ("xnli/test-de.tsv", "neutral\n" * 3, "test-de.tsv:3: 3 lines; expected 2"),
    "no lines": ("xnli/test-de.tsv", "", "test-de.tsv:0: 0 lines"),
    "a label outside the set": (
        "xnli/test-de.tsv", "neutral\nentailed\n",
        "test-de.tsv:2: 'entailed' is not a label; expected one of entailment, neutral, contradict",
    ),
    "a blank line": ("xnli/test-de.tsv", "\nneutral\n", "test-de.tsv:1: '' is not a label"),
    "not UTF-8": ("xnli/test-de.tsv", b"neutral\n\xff\n", "test-de.tsv:2: not UTF-8 text"),
    "too few sentences": (
        "panx/test-en.tsv", "O\nO\nO\n", "test-en.tsv:3: 1 sentences; expected 2",
    ),
    "a short sentence": (
        "panx/test-en.tsv", "O\nO\nO\n\nO\n",
        "test-en.tsv:5: sentence 2 begins here and has 1 tags; expected 2, as at",
    ),
    "an unknown tag": ("panx/test-en.tsv", "O\nB-MISC\n", "test-en.tsv:2: 'B-MISC' is not a label"),
    "a place beyond the end": (
        "tatoeba/test-zh.tsv", "0\n2\n",
        "test-zh.tsv:2: '2' is not the place of a sentence; expected a whole number from 0 to 1",
    ),
    "a word for a place": ("tatoeba/test-zh.tsv", "0\n-1\n", "test-zh.tsv:2: '-1' is not the"),
    "a broken line of JSON": (
        "xcopa/test-zh.jsonl", '{"label": 0}\n{"label": \n', "test-zh.jsonl:2: broken JSON",
    ),
    "a choice that is none": (
        "xcopa/test-zh.jsonl", '{"label": 0}\n{"label": 2}\n',
        "test-zh.jsonl:2: no choice stands here; expected",
    ),
    "a truth value for a choice": (
        "xcopa/test-zh.jsonl", '{"label": true}\n{"label": 1}\n', "test-zh.jsonl:1: no choice",
    ),
    "broken JSON": ("xquad/test-en.json", '{"a": "x",\n"b" "y"}', "test-en.json:2: broken JSON"),
    "deep JSON": ("xquad/test-en.json", "[" * 100_000, "test-en.json: broken JSON"),
    "a list": ("xquad/test-en.json", '["x"]', "test-en.json:1: not a mapping from items"),
    "an item twice": ("xquad/test-en.json", _SQUAD_TWICE, "test-en.json:3: 'a' stands twice"),
    "an item never": (
        "xquad/test-en.json", '{"a": "x"}', "test-en.json:1: item 'b' is not answered",
    ),
    "an unknown item": (
        "mlqa/test-en.json", '{"c": "x",\n "cc": "y"}', "test-en.json:2: there is no item 'cc'",
    ),
    "an answer that is no text": (
        "mlqa/test-en.json", '{"c": ["x"]}',
        "test-en.json:1: the answer to 'c' has the wrong shape; expected a text",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return handmade.write(tmp_path_factory.mktemp("submission") / "whole")


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def refused(folder: Path, *words: str, suite: str = "tiny") -> str:
    """What a refusal says; nothing may have been written."""
    result = handmade.score(folder, *words, suite=suite)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert not (folder / "scores.json").exists()
    assert "Traceback" not in result.stderr
    return str(result.stderr)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file(case: str, folder: Path) -> None:
    file, text, told = BROKEN[case]
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "predictions" / file).write_bytes(content)
    assert told in refused(folder)


@pytest.mark.parametrize("root", ["predictions", "labels"])
def test_a_missing_language(root: str, folder: Path) -> None:
    (folder / root / "xnli" / "test-de.tsv").unlink()
    told = refused(folder)
    assert f"{root}/xnli: no file for 1 of 2 languages: de; expected test-de.tsv" in told
    assert "--languages" in told


def test_no_labels_for_a_task(folder: Path) -> None:
    shutil.rmtree(folder / "labels" / "xnli")
    assert "labels/xnli: there is no such folder" in refused(folder)


def test_an_unknown_file(folder: Path) -> None:
    file = folder / "predictions" / "xnli" / "test-de.tsv"
    file.rename(file.with_suffix(".txt"))
    told = refused(folder)
    assert "'test-de.txt' is no file of this task; expected test-<language>.tsv" in told
    assert "did you mean 'test-de.tsv'?" in told


def test_an_unknown_task(folder: Path) -> None:
    (folder / "predictions" / "panx").rename(folder / "predictions" / "panxx")
    told = refused(folder)
    assert "predictions/panxx: this is no task of the suite" in told
    assert "did you mean 'panx'?" in told


def test_labels_that_are_not_squad(folder: Path) -> None:
    (folder / "labels/mlqa/test-en.json").write_text('{"data": [{"paragraphs": [{"qas": [{}]}]}]}')
    told = refused(folder)
    assert "labels/mlqa/test-en.json: data.0.paragraphs.0.qas.0.id: this key is missing" in told


def test_a_question_twice_in_the_labels(folder: Path) -> None:
    text = handmade.squad(("c", "x"), ("c", "y"))
    (folder / "labels/mlqa/test-en.json").write_text(text, encoding="utf-8")
    assert "labels/mlqa/test-en.json:1: 'c' stands twice" in refused(folder)


def test_labels_without_items(folder: Path) -> None:
    for root in ("labels", "predictions"):
        (folder / root / "xnli" / "test-de.tsv").write_text("")
    assert "test-de.tsv: there are no items in this file" in refused(folder)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tasks", "xnlli"], "the suite has no task 'xnlli'\n  did you mean 'xnli'?"),
        (["--languages", "sw"], "--languages: no task of tiny has the language 'sw'"),
        (["--languages", "script:Cyrillish"], "no language has the script 'Cyrillish'"),
        (["--languages", "zh", "--tasks", "mlqa"], "mlqa: no such language among theirs"),
        (["--predictions", "nowhere"], "nowhere: there is no such folder"),
        (["--predictions", "cards"], "cards: there are no tasks here; expected some of: mlqa"),
        (["--json", "nowhere/x.json"], "nowhere/x.json: cannot be written"),
    ],
)
def test_wrong_words(words: list[str], told: str, folder: Path) -> None:
    assert told in refused(folder, *words)


def test_a_group_without_families_has_no_suite_score(folder: Path) -> None:
    assert "the group 'qa' has no suite score" in refused(folder, suite="qa")
    told = refused(folder, suite="tinny")
    assert "there is no suite 'tinny'" in told and "did you mean 'tiny'?" in told
