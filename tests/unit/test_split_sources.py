"""What makes a split: rows of one source or of several, those that are wanted, their labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toy import card, toy_catalogue
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError, UnavailableError
from xharness.plugin.api import RunEnvironment
from xharness.session.catalogue import open_catalogue
from xharness.stages import DataSlice
from xharness.task_types.base import Row

SECOND = "    rows: 10\n  - from: toy\n    rows: 4\n    join: true\nlang"


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    card(folder, "red")
    return folder


def _edit(cards: Path, old: str, new: str) -> None:
    text = (cards / "red.yaml").read_text()
    assert old in text
    (cards / "red.yaml").write_text(text.replace(old, new))


def _data(cards: Path) -> DataReader:
    return DataReader(toy_catalogue(cards), RunEnvironment())


def _texts(cards: Path) -> tuple[list[str], str]:
    data, toy = _data(cards), toy_catalogue(cards).card("red")
    data_slice = data.data_slice(toy, "en", "test", None)
    examples = data.load(data_slice).examples
    return [example.text for example in examples], data_slice.fingerprint  # type: ignore[attr-defined]


def test_joined_sources_follow_each_other(cards: Path) -> None:
    first_texts, first_key = _texts(cards)
    _edit(cards, "    rows: 10\nlang", SECOND)
    together, joined_key = _texts(cards)
    assert together == [*first_texts, *first_texts[:4]]
    assert first_key != joined_key


def test_a_source_that_joins_none_is_another_place_to_look(cards: Path) -> None:
    first_texts, first_key = _texts(cards)
    _edit(cards, "    rows: 10\nlang", SECOND.replace("    join: true\n", ""))
    assert _texts(cards) == (first_texts, first_key)


def test_a_join_needs_what_it_joins(cards: Path) -> None:
    _edit(cards, "rows: 10\nlang", "rows: 10\n    join: true\nlang")
    with pytest.raises(ConfigurationError, match="the first of 'sources' has none above"):
        _texts(cards)


def test_rows_are_dropped_unless_they_are_wanted(cards: Path) -> None:
    first_texts, first_key = _texts(cards)
    _edit(cards, "rows: 10\nlang", "rows: 10\n    exclude: {label: '1'}\nlang")
    filtered_texts, filtered_key = _texts(cards)
    assert filtered_texts == first_texts[::2]
    assert first_key != filtered_key


def test_a_column_that_is_not_there_is_told(cards: Path) -> None:
    _edit(cards, "rows: 10\nlang", "rows: 10\n    exclude: {lable: '1'}\nlang")
    with pytest.raises(UnavailableError, match="no column 'lable' to filter by"):
        _texts(cards)


def test_what_to_do_is_told_where_data_is_missing(cards: Path) -> None:
    _edit(
        cards,
        "rows: 10\nlang",
        "rows: 10\n    missing: [sw]\n    download_instructions: a tape\nlang",
    )
    with pytest.raises(UnavailableError) as caught:
        _data(cards).data_slice(toy_catalogue(cards).card("red"), "sw", "test", None)
    assert caught.value.reason == "no rows in 'sw'; expected a tape"


OPEN = """\
name: supertags
task_type: tagging
role: intermediate
sources:
  - {from: file, path: "{split}.tsv", reader: conll, columns: {tokens: 0, tags: 1}}
languages: [en]
fields: {tokens: tokens, tags: tags}
labels: from_data
metrics: [token_accuracy]
eval_split: validation
about: {title: t, summary: s, license: CC0-1.0, citation: c}
"""


def test_open_labels_are_those_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "supertags.yaml").write_text(OPEN)
    (tmp_path / "train.tsv").write_text("old\tN/N\nboats\tN\n\nleak\tS\n\n")
    (tmp_path / "validation.tsv").write_text("they\tNP\nleak\tS\n\n")
    catalogue = open_catalogue((), [tmp_path / "supertags.yaml"])
    data = DataReader(catalogue, RunEnvironment(base=tmp_path, cache=tmp_path / "cache"))
    labels = data.card("supertags").labels
    data_slice = data.data_slice(catalogue.card("supertags"), "en", "train", None)
    assert labels == ("N", "N/N", "NP", "S")
    assert [example.tags for example in data.load(data_slice).examples] == [(1, 0), (3,)]  # type: ignore[attr-defined]

    (tmp_path / "validation.tsv").write_text("they\tPRP\nleak\tS\n\n")
    fresh = DataReader(catalogue, RunEnvironment(base=tmp_path, cache=tmp_path / "cache"))
    assert fresh.data_slice(catalogue.card("supertags"), "en", "train", None) != data_slice


def test_labels_are_names_or_come_from_the_data(cards: Path) -> None:
    _edit(cards, "labels: [a, b]", "labels: from_dta")
    with pytest.raises(ConfigurationError, match=r"labels: 'from_dta' is not one of 'from_data'"):
        _texts(cards)


def test_a_missing_split_names_those_there_are_and_the_line_to_write(cards: Path) -> None:
    splits = "    rows: 10\n    splits: {train: train, test: test}\nlang"
    _edit(cards, "    rows: 10\nlang", splits)
    toy = toy_catalogue(cards).card("red")
    with pytest.raises(UnavailableError) as caught:
        _data(cards).data_slice(toy, "en", "validation", None)
    assert "it has: test, train (to score it: {task: red, split: train})" in str(caught.value)


def test_rows_beyond_the_limit_are_counted_once(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, toy = _data(cards), toy_catalogue(cards).card("red")
    data_slice = reader.data_slice(toy, "en", "test", 3)
    drawn: list[object] = []
    rows = DataReader._rows

    def counted(self: DataReader, data_slice: DataSlice) -> Iterator[Row]:
        for row in rows(self, data_slice):
            drawn.append(row)
            yield row

    monkeypatch.setattr(DataReader, "_rows", counted)
    first = reader.load(data_slice)
    assert len(drawn) == first.count.rows == 10
    again = reader.load(data_slice)
    assert len(drawn) == 10 + 4  # the limit is noticed at the row behind it
    assert (again.examples, again.count) == (first.examples, first.count)
