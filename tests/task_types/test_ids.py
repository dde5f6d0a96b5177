"""Ids of items: what a card maps is read like any other field, and places of lines are numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from xharness.data.reader import _item
from xharness.errors import UnavailableError
from xharness.task_types.base import Reader
from xharness.task_types.bitext_retrieval import BitextExample, BitextRetrieval
from xharness.task_types.neighbours import VectorBlocks
from xharness.task_types.search import SearchRequest, TextRole
from xharness.testing import toy_card

ROW = {"key": "k7", "meta": {"id": 12}}


def _id(column: str | None) -> str:
    fields = {"text": "key"} | ({"id": column} if column else {})
    return _item(toy_card("bitext_retrieval").model_copy(update={"fields": fields}), ROW, 3)


def test_an_id_may_be_deep_or_made_of_columns() -> None:
    assert _id(None) == "3"
    assert _id("key") == "k7"
    assert _id("meta.id") == "12"
    assert _id("{key}-{meta.id}") == "k7-12"


def test_an_id_column_that_the_data_lacks_is_told() -> None:
    with pytest.raises(UnavailableError, match="no column 'kye' for field 'id'") as error:
        _id("kye")
    assert "did you mean 'key'?" in str(error.value)


def _pair(item: str) -> BitextExample:
    card = toy_card("bitext_retrieval").model_copy(
        update={"fields": {"source": "s", "target": "t"}}
    )
    return BitextRetrieval().example({"s": "one", "t": "eins"}, item, card)


def test_a_position_is_the_number_that_an_id_ends_in() -> None:
    assert _pair("dev-17").label == 17
    for item in ("seventeen", "dev-x", "1-", "²"):
        with pytest.raises(UnavailableError, match="has no position in it"):
            _pair(item)


def test_two_items_cannot_be_on_one_line() -> None:
    def encode(texts: Any, role: TextRole) -> VectorBlocks:
        return VectorBlocks([np.eye(len([*texts]), dtype=np.float32)])

    fine = SearchRequest([_pair("a-1"), _pair("a-2")], encode)
    assert BitextRetrieval().search(fine) == [1, 2]
    with pytest.raises(UnavailableError, match="'a-1' and 'b-1' have the same position"):
        BitextRetrieval().search(SearchRequest([_pair("a-1"), _pair("b-1")], encode))


def test_a_column_without_a_value_is_no_text_alone_and_in_a_template() -> None:
    row = {"source": "one", "remark": None}
    for spec, text in (("remark", ""), ("{source} {remark}", "one "), ("{remark}.", ".")):
        card = toy_card("bitext_retrieval").model_copy(update={"fields": {"source": spec}})
        assert Reader(card, row, "1").text("source") == text
