"""The evidence file."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xharness.errors import ConfigurationError
from xharness.gaps import Items, evidence


def _same(first: Items, second: Items) -> bool:
    return first.ids == second.ids and np.array_equal(first.statistics, second.statistics)


def _some() -> list[Items]:
    return [
        Items.of("b", "sw", ["q2", "q1"], np.array([[1.0, 1.0], [0.25, 1.0]])),
        Items.of("b", "en", ["q1", "q2"], np.array([[1.0, 1.0], [0.0, 1.0]])),
        Items.of("a", "en", ["x"], np.array([[3.0, 1.0, 2.0]])),
    ]


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / evidence.FILE
    evidence.write(path, _some())
    blocks = evidence.read(path)
    assert blocks.keys() == {("a", "en"), ("b", "en"), ("b", "sw")}
    assert all(_same(block, blocks[block.stage, block.language]) for block in _some())
    assert blocks["b", "sw"].ids == ("q1", "q2")
    assert [block.name for block in tmp_path.iterdir()] == [evidence.FILE]


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=6), st.integers(0, 9), min_size=1, max_size=9))
def test_any_id_survives(tmp_path_factory, answers):
    path = tmp_path_factory.mktemp("evidence") / "e.parquet"
    block = Items.of("s", "en", list(answers), np.array([[value] for value in answers.values()]))
    evidence.write(path, [block])
    assert _same(evidence.read(path)["s", "en"], block)


def test_the_same_items_give_the_same_bytes(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    evidence.write(first, _some())
    evidence.write(second, [*_some()[::-1], _some()[0]])
    assert first.read_bytes() == second.read_bytes()


def test_nothing_is_a_table_too(tmp_path):
    evidence.write(tmp_path / "e", [])
    assert evidence.read(tmp_path / "e") == {}


def test_columns(tmp_path):
    evidence.write(tmp_path / "e", _some())
    table = pq.read_table(tmp_path / "e")
    assert table.column_names == ["stage", "language", "item", "s0", "s1", "s2"]
    assert table["s2"].to_pylist() == [2.0, None, None, None, None]


def test_it_stays_small(tmp_path):
    statistics = np.stack([np.arange(5000) % 3 > 0, np.ones(5000)], axis=1)
    ids = [f"{item:06}" for item in range(5000)]
    evidence.write(tmp_path / "e", [Items.of(f"s{n}", "en", ids, statistics) for n in range(10)])
    assert (tmp_path / "e").stat().st_size < 5 * 50_000


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_a_stage_may_begin_in_one_batch_and_end_in_another(tmp_path_factory, seed, rows):
    rng = np.random.default_rng(seed)
    blocks = []
    for stage in "abc":
        choice = rng.integers(3)
        for language in ("en", "sw"):
            ids = [f"{item:02}" for item in range(rng.integers(1, 30))]
            right = (rng.random((len(ids), 2)) < 0.5).astype(float)
            right[:, 1] = 1
            statistics = (right, right * 7, rng.random((len(ids), 3)))[choice]
            blocks.append(Items.of(stage, language, ids, statistics))
    path = tmp_path_factory.mktemp("evidence") / "e.parquet"
    evidence.write(path, blocks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "_ROWS", rows)
        items = evidence.read(path)
    assert len(items) == 6 and set(items) == {(block.stage, block.language) for block in blocks}
    assert all(_same(block, items[block.stage, block.language]) for block in blocks)


def test_an_id_that_stands_twice_is_refused():
    with pytest.raises(ConfigurationError, match="item 'q' stands twice"):
        Items.of("s", "en", ["q", "p", "q"], np.ones((3, 1)))


def test_another_file_is_refused(tmp_path):
    (tmp_path / "e").write_text("hello")
    with pytest.raises(ConfigurationError, match="not an evidence table"):
        evidence.read(tmp_path / "e")
