"""Small languages are asked together; every language keeps its own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toy import CountingModel
from tests.unit.test_executor import _run, cards
from xharness.executor.language_batches import (
    LanguageItems,
    by_language,
    item_count,
    language_batches,
)
from xharness.store.tables import read_table

__all__ = ["cards"]


def _parts(sizes: list[tuple[int, str]]) -> list[LanguageItems]:
    parts: Any = [(size, words) for size, words in sizes]
    return [LanguageItems(index, words, range(size)) for index, (size, words) in enumerate(parts)]


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("ab"))), st.integers(1, 20))
def test_streams_keep_order_and_words_and_are_no_longer_than_they_must(
    sizes: list[tuple[int, str]], least: int
) -> None:
    parts = _parts(sizes)
    batches = [*language_batches(parts, least)]
    assert [part for stream in batches for part in stream] == parts
    for stream, next_batch in zip(batches, [*batches[1:], None], strict=False):
        assert len({part.card for part in stream}) == 1
        assert item_count(stream[:-1]) < least
        assert (
            item_count(stream) >= least
            or next_batch is None
            or next_batch[0].card != stream[0].card
        )


def test_each_part_gets_its_own_rows() -> None:
    parts = _parts([(2, "a"), (3, "a")])
    table = pa.table({"item": [*"vwxyz"]})
    items = [rows.column("item").to_pylist() for _, rows in by_language(table, parts)]
    assert items == [["v", "w"], ["x", "y", "z"]]


@pytest.mark.parametrize(
    ("shard", "request_sizes"), [(1024, [30]), (15, [15, 5, 10]), (4, [4, 4, 2] * 3)]
)
def test_a_model_is_asked_shard_by_shard(
    shard: int, request_sizes: list[int], cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    honest = CountingModel.predict

    def predict(self: CountingModel, card: Any, task_type: Any, examples: Any, recipe: Any) -> Any:
        sizes.append(len(examples))
        return honest(self, card, task_type, examples, recipe)

    monkeypatch.setattr(CountingModel, "predict", predict)
    options = {"strategies": ["single"], "targets": ["red"], "runtime": {"shard": shard}}
    plan, work, report, _ = _run(cards, **options)
    assert not report.failed
    assert sizes == request_sizes
    (arm,) = plan.arms
    folder = work.store.folder(arm.score.predictions.key) / "predictions"
    assert {path.stem: read_table(path).num_rows for path in folder.iterdir()} == {
        data_slice.language: 10 for data_slice in arm.score.predictions.data_slices
    }
