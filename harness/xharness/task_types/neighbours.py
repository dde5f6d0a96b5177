"""Nearest neighbours by inner product: exhaustive, block by block, the same on every path.

Rough scores come from one matrix product for each block (faiss where there are many candidates,
numpy where there are few); they round differently, so the best few are scored again in double
precision before they are ranked. Memory is bounded by the blocks, not by how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Scores = NDArray[np.float64]
Indices = NDArray[np.int64]

_FEW = 4096  # candidates that numpy searches as fast as faiss
_SPARE = 16  # candidates that are scored again beyond those asked for
_MOST = 256  # how far that is widened where many scores are nearly equal
_ROUNDING = 1e-5  # by how much rough scores of unit vectors may be wrong, at most
_BATCH = 2048  # queries that numpy compares with a block at a time
_DOUBLES = 2**19  # numbers in double precision held at a time: what a processor's cache holds


class Neighbours(NamedTuple):
    """The nearest candidates of each query, nearest first, both (queries, k)."""

    scores: Scores
    indices: Indices


class VectorBlocks:
    """Rows of equal width in blocks: arrays in memory, or .npy files mapped while they are read."""

    def __init__(self, blocks: Sequence[Matrix | Path]) -> None:
        self._blocks = blocks
        lengths = [len(_array(block)) for block in blocks]
        self._firsts = [sum(lengths[:block_index]) for block_index in range(len(lengths))]
        self._length = sum(lengths)

    def __len__(self) -> int:
        return self._length

    def blocks(self) -> Iterator[tuple[int, Matrix]]:
        """Each block with the index of its first row."""
        for first, block in zip(self._firsts, self._blocks, strict=True):
            yield first, _array(block)


def nearest(queries: VectorBlocks, candidates: VectorBlocks, k: int) -> Neighbours:
    """The `k` nearest candidates of each query; of equally near ones the lowest indices.

    There are fewer than `k` where there are fewer candidates.
    """
    # Rough ones are more than asked for: rounding may have put the k-th of them behind a worse one.
    k = min(k, len(candidates))
    parts = [_ranked(block, candidates, k, k + _SPARE) for _, block in queries.blocks()]
    scores = [np.zeros((0, k)), *(part.scores for part in parts)]
    indices = [np.zeros((0, k), dtype=np.int64), *(part.indices for part in parts)]
    return Neighbours(np.concatenate(scores), np.concatenate(indices))


def _ranked(queries: Matrix, candidates: VectorBlocks, k: int, width: int) -> Neighbours:
    """The nearest, out of `width` rough ones; more where a tie may hide beyond those."""
    rough = _rough(queries, candidates, min(width, len(candidates)))
    neighbours = _exact(queries, candidates, rough.indices, k)
    if k and rough.indices.shape[1] < len(candidates) and width < _MOST:
        # Within the errors of both scores: something just as near may lie behind the last one.
        unsure = rough.scores[:, k - 1] - rough.scores[:, -1] <= 2 * _ROUNDING
        if unsure.any():
            wider = _ranked(queries[unsure], candidates, k, 4 * width)
            neighbours.scores[unsure], neighbours.indices[unsure] = wider
    return neighbours


def _rough(queries: Matrix, candidates: VectorBlocks, k: int) -> Neighbours:
    """The `k` best by single precision, in falling order of their scores."""
    search = _by_numpy if len(candidates) <= _FEW else _by_faiss()
    scores = np.zeros((len(queries), 0), dtype=np.float32)
    indices = np.zeros((len(queries), 0), dtype=np.int64)
    for first, block in candidates.blocks():
        block_scores, block_indices = search(queries, block, min(k, len(block)))
        scores = np.concatenate([scores, block_scores], axis=1)
        indices = np.concatenate([indices, block_indices + first], axis=1)
        # Thinned after each block, so that memory holds `k` a query however many blocks there are.
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(scores, order, axis=1)
        indices = np.take_along_axis(indices, order, axis=1)
    return Neighbours(scores.astype(np.float64), indices)


def _by_numpy(queries: Matrix, block: Matrix, k: int) -> tuple[Matrix, Indices]:
    scores = np.empty((len(queries), k), dtype=np.float32)
    indices = np.empty((len(queries), k), dtype=np.int64)
    for first in range(0, len(queries), _BATCH):
        batch = slice(first, first + _BATCH)
        products = queries[batch] @ block.T
        indices[batch] = np.argpartition(-products, k - 1, axis=1)[:, :k]
        scores[batch] = np.take_along_axis(products, indices[batch], axis=1)
    return scores, indices


def _by_faiss() -> Callable[[Matrix, Matrix, int], tuple[Matrix, Indices]]:
    import faiss

    def search(queries: Matrix, block: Matrix, k: int) -> tuple[Matrix, Indices]:
        scores, indices = faiss.knn(
            np.ascontiguousarray(queries), block, k, metric=faiss.METRIC_INNER_PRODUCT
        )
        return scores, indices

    return search


def _exact(queries: Matrix, candidates: VectorBlocks, indices: Indices, k: int) -> Neighbours:
    """The `k` best of the candidates at `indices`, in double precision."""
    scores = _pair_scores(queries, candidates, indices)
    # By falling score, then by index: of equal ones each path must give the same.
    order = np.lexsort((indices, -scores), axis=1)[:, :k]
    return Neighbours(
        np.take_along_axis(scores, order, axis=1), np.take_along_axis(indices, order, axis=1)
    )


def _pair_scores(queries: Matrix, candidates: VectorBlocks, indices: Indices) -> Scores:
    """Inner products of each query with its candidates at `indices` (queries, n), same shape."""
    scores = np.empty(indices.shape)
    for first, block in candidates.blocks():
        rows, columns = np.nonzero((indices >= first) & (indices < first + len(block)))
        if len(rows) > len(queries) + len(block):  # cast once what is compared many times
            queries, block = queries.astype(np.float64), block.astype(np.float64)
        # All pairs at once would hold queries x width x dimensions doubles.
        step = max(1, _DOUBLES // max(block.shape[1], 1))
        for start in range(0, len(rows), step):
            row, column = rows[start : start + step], columns[start : start + step]
            query = queries[row].astype(np.float64, copy=False)
            candidate = block[indices[row, column] - first].astype(np.float64, copy=False)
            scores[row, column] = np.einsum("nd,nd->n", query, candidate)
    return scores


def _array(block: Matrix | Path) -> Matrix:
    if not isinstance(block, Path):
        return block
    # An ordinary view: numpy's class for mapped files looks each time whether the file is meant.
    mapped: Matrix = np.asarray(np.load(block, mmap_mode="r"))
    return mapped
