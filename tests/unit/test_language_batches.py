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
    cut,
    language_batches,
)
from xharness.store.tables import read_table

__all__ = ["cards"]


def _parts(sizes: list[tuple[int, str]]) -> list[LanguageItems]:
    parts: Any = [(size, words) for size, words in sizes]
    return [LanguageItems(index, words, range(size)) for index, (size, words) in enumerate(parts)]


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("ab"))), st.integers(1, 20))
def test_batches_keep_order_and_words_and_are_no_longer_than_they_must(
    sizes: list[tuple[int, str]], least: int
) -> None:
    parts = _parts(sizes)
    batches, counts = [], []
    for batch in language_batches(parts, least):
        batches.append(batch)
        counts.append(sum(1 for _ in batch.examples()))
    assert [part for batch in batches for part in batch.languages] == parts
    for batch, count, next_batch in zip(batches, counts, [*batches[1:], None], strict=False):
        assert len({part.card for part in batch.languages}) == 1
        assert sum(map(len, batch.held[:-1])) < least
        assert count == sum(sizes[part.data_slice][0] for part in batch.languages)
        assert sum(map(len, batch.held)) <= max(least, 1)
        assert count >= least or next_batch is None or next_batch.card != batch.card


@given(st.lists(st.tuples(st.integers(1, 9), st.just("a"))), st.integers(1, 20))
def test_each_language_gets_its_own_rows(sizes: list[tuple[int, str]], least: int) -> None:
    for batch in language_batches(_parts(sizes), least):
        items = [f"{part.data_slice} {row}" for part in batch.languages for row in part.examples]
        tables = [
            pa.table({"item": [items[start + number] for number in range(len(shard))]})
            for start, (shard, _) in zip(
                range(0, 1000, least), cut(batch.examples(), least), strict=False
            )
        ]
        for part, rows in by_language(tables, batch):
            language_items = [item for table in rows for item in table.column("item").to_pylist()]
            assert language_items == [f"{part.data_slice} {row}" for row in part.examples]


@given(st.integers(0, 30), st.integers(1, 9))
def test_shards_are_of_a_size_and_the_last_says_so(count: int, size: int) -> None:
    shards = [*cut(range(count), size)]
    assert [row for shard, _ in shards for row in shard] == [*range(count)]
    assert [last for _, last in shards] == [False] * (len(shards) - 1) + [True] * bool(count)
    assert all(len(shard) == size for shard, last in shards if not last)


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
