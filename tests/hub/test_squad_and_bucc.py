"""SQuAD's nested JSON and BUCC's archives as rows, and what is said of broken ones."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_files import write_parquet

from xharness.errors import UnavailableError
from xharness.plugin.api import RunEnvironment, SourceRequest
from xharness_hub.hub import HubSource
from xharness_hub.readers import ReaderOptions, read

CONTEXT = "Ann met Bo.\n\nShe left."
ARTICLE = {
    "title": "Ann",
    "paragraphs": [
        {
            "context": CONTEXT,
            "sentences": ["Ann met Bo.", "She left."],
            "sentence_breaks": [[0, 11], [13, 22]],
            "qas": [
                {"id": "q1", "question": "Whom?", "answers": [{"text": "Bo", "answer_start": 8}]},
                {"id": "q2", "question": "Who?", "answers": [{"text": "She", "answer_start": 13}]},
            ],
        }
    ],
}
LINES = {
    "x.sample.de": "d1\teins\u2028zwei\nd2\tdrei\n",
    "x.sample.en": "e1\tone\r\ne2\t two\tthree\n",
    "x.sample.gold": "d1\te2\nd1\te1\n",
}


def rows(path: Path, reader: str) -> list[Any]:
    return list(read([path], ReaderOptions.model_validate({"reader": reader}), "the split"))


def archive(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w:bz2") as tar:
        for name, text in members.items():
            member = tarfile.TarInfo(f"./bucc/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def test_questions(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"data": [ARTICLE]}))
    first, second = rows(tmp_path / "x.json", "squad")
    assert first == {
        "id": "q1", "title": "Ann", "context": CONTEXT, "question": "Whom?",
        "answers": [{"text": "Bo", "answer_start": 8}],
    }  # fmt: skip
    assert second["id"] == "q2"


def test_sentences(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"data": [ARTICLE, ARTICLE]}))
    read_rows = rows(tmp_path / "x.json", "squad_sentences")
    assert [row["id"] for row in read_rows] == ["0.0", "0.1", "1.0", "1.1"]
    assert read_rows[0]["text"] == "Ann met Bo.Ann met Bo.She left."
    assert [row["answers"] for row in read_rows] == [["q1"], ["q2"]] * 2


@pytest.mark.parametrize(
    ("value", "reader", "message"),
    [
        ([], "squad", "not SQuAD's shape"),
        ({"data": [{"paragraphs": [{"context": "c"}]}]}, "squad", "KeyError: 'qas'"),
        ({"data": [{"paragraphs": [{"context": "c", "qas": []}]}]}, "squad_sentences", "breaks"),
        ({"data": []}, "squad", "there is no row"),
    ],
)  # fmt: skip
def test_other_json_is_refused(tmp_path: Path, value: Any, reader: str, message: str) -> None:
    (tmp_path / "x.json").write_text(json.dumps(value))
    with pytest.raises(UnavailableError) as caught:
        rows(tmp_path / "x.json", reader)
    assert message in str(caught.value)


def test_either_side_of_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "x.tar.bz2", LINES)
    assert rows(path, "bucc") == [
        {"id": "d1", "text": "eins\u2028zwei", "match": ["e2", "e1"]},
        {"id": "d2", "text": "drei", "match": []},
    ]
    assert rows(path, "bucc_english") == [
        {"id": "e1", "text": "one"},
        {"id": "e2", "text": " two\tthree"},
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.bz2"], "nothing is unpacked"


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("d1\tsecret\n")
    path = archive(tmp_path / "x.tar.bz2", {name: LINES[name] for name in [*LINES][1:]})
    with tarfile.open(tmp_path / "y.tar.bz2", "w:bz2") as tar, tarfile.open(path) as source_archive:
        for member in source_archive:
            tar.addfile(member, source_archive.extractfile(member))
        link = tarfile.TarInfo("./bucc/x.sample.de")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(link)
    with pytest.raises(UnavailableError, match="not a BUCC archive"):
        rows(tmp_path / "y.tar.bz2", "bucc")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"x.en": "e1\tone\n"}, "not a BUCC archive"),
        (LINES | {"x.sample.en": "e1\tone\ne2 two\n"}, "x.sample.en:2: no tab in this line"),
    ],
)
def test_broken_archives_are_named(tmp_path: Path, members: dict[str, str], message: str) -> None:
    path = archive(tmp_path / "x.tar.bz2", members)
    with pytest.raises(UnavailableError) as caught:
        rows(path, "bucc")
    assert message in str(caught.value)


@pytest.mark.parametrize("cut", [0, 40, 150])
def test_a_damaged_archive_is_told(tmp_path: Path, cut: int) -> None:
    path = archive(tmp_path / "x.tar.bz2", LINES)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UnavailableError, match=r"x\.tar\.bz2: not a readable archive"):
        rows(path, "bucc")


@pytest.mark.usefixtures("reading")
def test_either_side_of_the_hubs_one_row(
    environment: RunEnvironment, ask: Callable[..., SourceRequest]
) -> None:
    assert environment.data_root is not None
    folder = environment.data_root / "org" / "name"
    columns = {
        "sentence1": [["eins", "zwei"]], "sentence2": [["one", "two", "three"]], "gold": [[[2, 3]]],
    }  # fmt: skip
    write_parquet(folder / "test.parquet", **columns)
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - {split: test, path: test.parquet}\n---\n"
    )
    source = HubSource()
    unread, side_asked, english = (
        ask(source, id="org/name", **({"reader": reader} if reader else {}))
        for reader in (None, "bucc", "bucc_english")
    )
    assert list(source.rows(side_asked)) == [
        {"id": "1", "text": "eins", "match": []},
        {"id": "2", "text": "zwei", "match": ["3"]},
    ]
    assert [row["id"] for row in source.rows(english)] == ["1", "2", "3"]
    assert len({source.fingerprint(path) for path in (unread, side_asked, english)}) == 3
    write_parquet(folder / "test.parquet", sentence1=[["eins"]])
    with pytest.raises(UnavailableError, match="not the rows of BUCC"):
        list(source.rows(side_asked))
