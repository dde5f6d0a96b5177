"""Nearest neighbours: as the exhaustive answer has them, on every path, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from xharness.task_types import neighbours
from xharness.task_types.neighbours import VectorBlocks, nearest

Rows = NDArray[np.float32]


def unit(count: int, width: int, seed: int = 0) -> Rows:
    rows = np.random.default_rng(seed).standard_normal((count, width), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def blocks(rows: Rows, size: int) -> VectorBlocks:
    return VectorBlocks([rows[first : first + size] for first in range(0, len(rows), size)])


def by_sorting(queries: Rows, candidates: Rows, k: int) -> list[list[int]]:
    """The places of the nearest, by sorting (-score, place) in plain Python."""
    exact = (queries.astype(np.float64) @ candidates.astype(np.float64).T).tolist()
    return [
        sorted(range(len(candidates)), key=lambda index: (-row[index], index))[:k] for row in exact
    ]


@settings(max_examples=40, deadline=None)
@given(data=st.data(), faiss=st.booleans())
def test_it_finds_what_sorting_finds_ties_and_all(data: st.DataObject, faiss: bool) -> None:
    width = data.draw(st.integers(1, 3))
    numbers = st.integers(-2, 2)  # so few that many candidates are equally near
    rows = st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=60)
    candidates = np.array(data.draw(rows), dtype=np.float32)
    queries = np.array(data.draw(rows), dtype=np.float32)
    k, size = data.draw(st.integers(1, 25)), data.draw(st.integers(1, 60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_FEW", 0 if faiss else 4096)
        patch.setattr(neighbours, "_SPARE", 2)
        found = nearest(blocks(queries, 7), blocks(candidates, size), k)
    assert found.indices.tolist() == by_sorting(queries, candidates, k)
    exact = (queries[:, None] * candidates[found.indices]).sum(axis=2)
    assert np.allclose(found.scores, exact)


def test_faiss_and_numpy_answer_alike_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, candidates = unit(300, 48), np.concatenate([unit(3000, 48, 1)] * 2)
    by_faiss = nearest(blocks(queries, 128), blocks(candidates, 1000), 20)
    monkeypatch.setattr(neighbours, "_FEW", 10_000)
    by_numpy = nearest(blocks(queries, 300), blocks(candidates, 6000), 20)
    assert np.array_equal(by_faiss.indices, by_numpy.indices)
    assert np.array_equal(by_faiss.scores, by_numpy.scores)
    # each candidate stands there twice: the first of the two comes first
    assert (np.diff(by_faiss.indices.reshape(300, 10, 2)) == 3000).all()


def test_hundreds_of_equal_candidates_come_in_their_order() -> None:
    candidates = np.concatenate([unit(5000, 16, 2), np.repeat(unit(1, 16, 3), 200, axis=0)])
    found = nearest(blocks(unit(1, 16, 3), 1), blocks(candidates, 1024), 20)
    assert found.indices.tolist() == [[*range(5000, 5020)]]


def test_fewer_candidates_than_asked_for() -> None:
    assert nearest(blocks(unit(3, 4), 3), blocks(unit(2, 4, 1), 2), 20).indices.shape == (3, 2)
    assert nearest(VectorBlocks([]), blocks(unit(2, 4), 2), 5).indices.shape == (0, 2)


def test_files_are_searched_block_by_block(tmp_path: Path) -> None:
    candidates, paths = unit(40_000, 64, 4), []
    for first in range(0, len(candidates), 4000):
        paths.append(tmp_path / f"{first}.npy")
        np.save(paths[-1], candidates[first : first + 4000])
    queries = unit(50, 64, 5)
    nearest(
        blocks(queries, 50), VectorBlocks(paths[:2]), 20
    )  # imports faiss, whose memory is not meant
    tracemalloc.start()
    found = nearest(blocks(queries, 50), VectorBlocks(paths), 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.indices[:2].tolist() == by_sorting(queries[:2], candidates, 20)
    assert peak < candidates.nbytes / 2
