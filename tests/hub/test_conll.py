"""Sentences out of CoNLL-U and its elders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from xharness.errors import UnavailableError
from xharness_hub.readers import ReaderOptions, read


def word(number: str, form: str, upos: str = "X") -> str:
    return "\t".join([number, form, "_", upos, *"______"])


def rows(path: Path, lines: list[str], **options: Any) -> list[Any]:
    path.write_text("\n".join(lines), encoding="utf-8")
    reading = ReaderOptions.model_validate({"reader": "conll", **options})
    return list(read([path], reading, "the split"))


def test_comments_ranges_and_empty_nodes_are_no_words(tmp_path: Path) -> None:
    lines = [
        "# sent_id = a",
        "# text = Vámonos",
        word("1-2", "Vámonos", "_"),
        word("1", "Vamos", "VERB"),
        word("2", "nos", "PRON"),
        word("2.1", "ella", "PRON"),
        "",
        "",
        word("1", "#", "SYM"),
        word("2", "10 000", "NUM"),
    ]
    assert rows(tmp_path / "es_x-ud-dev.conllu", lines) == [
        {"id": "es_x-ud-dev:1", "tokens": ["Vamos", "nos"], "tags": ["VERB", "PRON"]},
        {"id": "es_x-ud-dev:2", "tokens": ["#", "10 000"], "tags": ["SYM", "NUM"]},
    ]


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    columns = {"tokens": "form", "pos_tags": "upos", "lemmas": "lemma"}
    (row,) = rows(tmp_path / "x.conllu", [word("1", "a", "DET"), ""], columns=columns)
    assert row == {"id": "x:1", "tokens": ["a"], "pos_tags": ["DET"], "lemmas": ["_"]}


def test_columns_are_chosen_by_place(tmp_path: Path) -> None:
    lines = [
        "-DOCSTART- -X- O O",
        "",
        "EU NNP B-NP B-ORG",
        "1-2 CD I-NP O",
        "# NN I-NP O",
        "# note",
    ]
    assert rows(tmp_path / "x.txt", lines, columns={"tokens": 0, "tags": 3}) == [
        {"id": "x:1", "tokens": ["EU", "1-2", "#"], "tags": ["B-ORG", "O", "O"]}
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\ta\tX", r"x:2: 3 columns; expected the 10 of CoNLL-U, separated by tabs"),
        (word("one", "a"), r"x:2: 'one' 'a' is no word; expected a number and a form"),
        (word("2", ""), r"x:2: '2' '' is no word"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(UnavailableError, match=message):
        rows(tmp_path / "x", [word("1", "a"), line])


def test_too_few_places(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"x:1: 2 columns; expected at least 4"):
        rows(tmp_path / "x", ["EU NNP"], columns={"tokens": 0, "tags": 3})
