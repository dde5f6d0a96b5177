"""Ids that stand twice are found among any number of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.project import fresh
from xharness.data import examples, item_ids
from xharness.data.examples import RereadExamples
from xharness.data.item_ids import ItemIds


def _repeated(items: list[str]) -> str | None:
    ids = ItemIds()
    for item in items:
        repeated = ids.add(item)
        if repeated is not None:
            return repeated
    assert len(ids) == len(items)
    return ids.repeated()


@given(st.lists(st.integers(0, 400).map(str), max_size=200), st.integers(1, 20))
def test_what_stands_twice_is_found(items: list[str], most_new: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_ids, "_MOST_NEW", most_new)
        repeated = _repeated(items)
    if len({*items}) == len(items):
        assert repeated is None
    else:
        assert repeated is not None
        assert items.count(repeated) > 1


def test_half_characters_are_ids() -> None:
    assert _repeated(["\ud83d", "\ud83e"]) is None


@pytest.mark.parametrize("most_held", [2, 3, 4])
def test_examples_are_read_again_where_they_are_many(
    most_held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "MOST_HELD", most_held)
    readings: list[int] = []

    def read() -> list[str]:
        readings.append(1)
        return ["a", "b", "c"]

    passes = RereadExamples(read)
    assert [[*passes], len(passes), [*passes]] == [["a", "b", "c"], 3, ["a", "b", "c"]]
    assert "c" in passes
    assert "d" not in passes
    assert len(readings) == (1 if most_held >= 3 else 5)


def test_a_data_set_with_an_id_twice_is_told(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    project.cards["mood"]["fields"]["id"] = "text"
    path = tmp_path / "data" / "mood.en.test.jsonl"
    path.write_text(path.read_text() + path.read_text().splitlines()[3] + "\n")
    result = project.write().run("--offline")
    assert result.exit_code == 3
    assert "two items have the id '" in result.stderr


def test_partial_data_is_refused_before_anything_is_answered(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    project.study["runtime"] = {"shard": 7}
    project.study["models"] = [{"name": "most", "backend": "majority"}]
    path = tmp_path / "data" / "mood.en.test.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    result = project.write().run("--offline", "--strict-data")
    assert result.exit_code != 0
    assert "partial data" in result.stderr
    assert not [*tmp_path.glob("store/??/*/unfinished/*/*.parquet")]
