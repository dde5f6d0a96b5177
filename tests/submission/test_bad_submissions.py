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
    "a place as no text has": (
        "tatoeba/test-de.tsv", f"0\n{10**12}\n2\n",
        "test-de.tsv:2: '1000000000000' is not the place of a sentence; expected a whole number",
    ),
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
        "xquad/test-en.json", '{"a": "x"}', "test-en.json:1: there is no answer to 'b'",
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
def good_submission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return handmade.write(tmp_path_factory.mktemp("submission") / "whole")


@pytest.fixture
def folder(good_submission: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_submission, tmp_path / "copy"))


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
    file, text, message = BROKEN[case]
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "predictions" / file).write_bytes(content)
    assert message in refused(folder)


@pytest.mark.parametrize("root", ["predictions", "labels"])
def test_a_missing_language(root: str, folder: Path) -> None:
    (folder / root / "xnli" / "test-de.tsv").unlink()
    message = refused(folder)
    assert f"{root}/xnli: no file for 1 of 2 languages: de; expected test-de.tsv" in message
    assert "--languages" in message


def test_no_labels_for_a_task(folder: Path) -> None:
    shutil.rmtree(folder / "labels" / "xnli")
    assert "labels/xnli: there is no such folder" in refused(folder)


def test_an_unknown_file(folder: Path) -> None:
    file = folder / "predictions" / "xnli" / "test-de.tsv"
    file.rename(file.with_suffix(".txt"))
    message = refused(folder)
    assert "'test-de.txt' is no file of this task; expected test-<language>.tsv" in message
    assert "did you mean 'test-de.tsv'?" in message


def test_a_folder_that_the_suite_does_not_name_is_left_out_with_a_note(folder: Path) -> None:
    (folder / "predictions" / "panx").rename(folder / "predictions" / "panxx")
    (folder / "predictions" / "mewslix").mkdir()
    result = handmade.score(folder)
    assert result.exit_code == 0, result.stderr
    names = "mewslix, panxx (did you mean 'panx'?)"
    assert f"left out, no task of tiny is called so: {names}" in result.stderr
    assert handmade.scores(folder)["left_out"] == names.split(", ")
    assert "wikiann" not in handmade.scores(folder)["tasks"]


def test_no_folder_of_the_suite(folder: Path) -> None:
    for path in (folder / "predictions").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    assert "predictions: there are no tasks here; expected some of: mlqa, panx" in refused(folder)


def test_labels_that_are_not_squad(folder: Path) -> None:
    (folder / "labels/mlqa/test-en.json").write_text('{"data": [{"paragraphs": [{"qas": [{}]}]}]}')
    message = refused(folder)
    assert "labels/mlqa/test-en.json: data.0.paragraphs.0.qas.0.id: this key is missing" in message


def test_a_question_twice_in_the_labels(folder: Path) -> None:
    text = handmade.squad(("c", "x"), ("c", "y"))
    (folder / "labels/mlqa/test-en.json").write_text(text, encoding="utf-8")
    assert "labels/mlqa/test-en.json:1: 'c' stands twice" in refused(folder)


def test_labels_without_items(folder: Path) -> None:
    for root in ("labels", "predictions"):
        (folder / root / "xnli" / "test-de.tsv").write_text("")
    assert "test-de.tsv: there are no items in this file" in refused(folder)


@pytest.mark.parametrize(
    ("words", "message"),
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
def test_wrong_words(words: list[str], message: str, folder: Path) -> None:
    assert message in refused(folder, *words)


def test_a_group_without_families_has_no_suite_score(folder: Path) -> None:
    assert "the group 'qa' has no suite score" in refused(folder, suite="qa")
    assert "there is no suite" not in refused(folder, suite="XTREME_R")
    message = refused(folder, suite="tinny")
    assert "there is no suite 'tinny'" in message and "did you mean 'tiny'?" in message
