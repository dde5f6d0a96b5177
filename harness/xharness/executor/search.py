"""Predictions by search: vectors of texts, indexes of candidates, and items to tune on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from xharness.data.counts import RowCount
from xharness.digests import digest
from xharness.errors import StageError
from xharness.executor.context import ProgressCounter, RunContext
from xharness.plugin.api import Example, Model, Prediction, Recipe, TextRole
from xharness.stages import DataSlice, Predict
from xharness.store.parts import Parts
from xharness.task_types.base import TaskType
from xharness.task_types.neighbours import Matrix, VectorBlocks
from xharness.task_types.search import CandidateIndex, SearchRequest, build_index

_STEP = 1024  # rows between two reports of progress


class SearchPredictions:
    """The predictions of one stage by search; what it keeps between languages lies in `folder`."""

    def __init__(
        self,
        stage: Predict,
        context: RunContext,
        folder: Path,
        parts: Parts,
        counter: ProgressCounter,
    ) -> None:
        self._stage, self._context = stage, context
        self._folder, self._parts, self._counter = folder, parts, counter
        self._counts: dict[DataSlice, RowCount] = {}
        self._indexes: dict[tuple[DataSlice, ...], CandidateIndex] = {}

    def answer(
        self, task_type: TaskType, data_slice: DataSlice, examples: Sequence[Example]
    ) -> Sequence[Prediction]:
        """One prediction for each of the slice's examples, in order."""
        folder = self._folder / data_slice.language
        return task_type.search(self._request(task_type, data_slice, examples, folder))

    def counts(self) -> list[RowCount]:
        """How many rows the indexes and the tuning items had; what is not read yet is read."""
        retrieval = self._stage.retrieval
        data_slices = dict.fromkeys(retrieval.data_slices if retrieval else ())
        for data_slice in data_slices:
            # Languages that an earlier attempt answered were not read by this one.
            if data_slice not in self._counts:
                for _ in self._read(data_slice):
                    pass
        return [self._counts[data_slice] for data_slice in data_slices]

    def _request(
        self, task_type: TaskType, data_slice: DataSlice, examples: Sequence[Any], folder: Path
    ) -> SearchRequest:
        encoder = self._encoder(folder)
        request = SearchRequest(examples, encoder, self._index(task_type, data_slice, folder))
        retrieval = self._stage.retrieval
        tuning = retrieval.tuning_for(data_slice) if retrieval else None
        if tuning is None:
            return request
        if tuning == data_slice:
            # The very object, so that the task type sees that nothing must be searched twice.
            return replace(request, tuning=request)
        index = self._index(task_type, tuning, folder)
        return replace(request, tuning=SearchRequest([*self._read(tuning)], encoder, index))

    def _encoder(self, folder: Path) -> CachedEncoder:
        context, stage = self._context, self._stage
        return CachedEncoder(lambda: context.model(stage.model), stage.recipe, folder, self._parts)

    def _index(
        self, task_type: TaskType, data_slice: DataSlice, folder: Path
    ) -> CandidateIndex | None:
        """The candidates for `data_slice`; an index that all languages share is kept."""
        retrieval = self._stage.retrieval
        if retrieval is None:
            return None
        data_slices = retrieval.candidates_for(data_slice)
        if data_slices in self._indexes:
            return self._indexes[data_slices]
        if retrieval.shared_index:
            folder = self._folder / "shared"
        candidates = self._candidates(data_slices)
        index = build_index(candidates, self._encoder(folder), task_type.candidate_role)
        # Only a shared index is asked for again, and any index may fill much of the memory.
        self._indexes = {data_slices: index} if retrieval.shared_index else {}
        return index

    def _candidates(self, data_slices: Sequence[DataSlice]) -> Iterator[Any]:
        """The candidates of all slices; in an index of several languages, ids tell theirs."""
        for data_slice in data_slices:
            for candidate in self._read(data_slice):
                if len(data_slices) > 1:
                    candidate = replace(candidate, id=f"{data_slice.language}:{candidate.id}")
                yield candidate

    def _read(self, data_slice: DataSlice) -> Iterator[Any]:
        """The slice's examples, counted; progress goes in steps, because there may be millions."""
        stream = self._context.data.stream(data_slice)
        for number, example in enumerate(stream, 1):
            yield example
            if number % _STEP == 0:
                self._counter.add(_STEP)
        self._counts[data_slice] = stream.count
        self._counter.add(stream.count.used % _STEP)


_ROWS = 16_384  # texts in a block, at most: what an interruption may cost
_BYTES = 2**28  # of a block, at most


class CachedEncoder:
    """Turns texts into vectors with one model; blocks lie in `folder`, named by their texts.

    So a block is computed once, however often it is needed: for another language, or by a later
    attempt.
    """

    def __init__(
        self, model: Callable[[], Model], recipe: Recipe, folder: Path, parts: Parts
    ) -> None:
        self._model, self._recipe = model, recipe
        self._folder, self._parts = folder, parts

    def __call__(self, texts: Iterable[str], role: TextRole) -> VectorBlocks:
        """The vectors of `texts`, in order; queries are cut at the recipe's `max_query_length`.

        Raises:
            StageError: the model gave something else than a finite vector for each text.
        """
        # Queries are short and many: cut like passages they would cost as much as the index.
        length = self._recipe.max_query_length if role == "query" else None
        recipe = self._recipe.changed({"max_length": length}) if length else self._recipe
        blocks = self._text_blocks(iter(texts))
        return VectorBlocks([self._block(block, recipe, role) for block in blocks])

    def _text_blocks(self, texts: Iterator[str]) -> Iterator[list[str]]:
        while block := list(islice(texts, self._rows)):
            yield block

    @cached_property
    def _rows(self) -> int:
        """Texts in a block, at most."""
        # Asked of the model, because no option says how wide its vectors are in the end.
        (vector,) = self._embed(["a"], self._recipe, "sentence")
        return max(1, min(_ROWS, _BYTES // (4 * len(vector))))

    def _block(self, texts: list[str], recipe: Recipe, role: TextRole) -> Path:
        # The length belongs to the name: the same text cut elsewhere has another vector.
        path = self._folder / f"{digest([recipe.max_length, texts, role])}.npy"
        if not self._parts.has(path):
            with self._parts.write(path) as partial, partial.open("wb") as file:
                np.save(file, self._embed(texts, recipe, role))
        return path

    def _embed(self, texts: list[str], recipe: Recipe, role: TextRole) -> Matrix:
        return _checked(self._model().embed(texts, recipe, role), len(texts))


def _checked(vectors: Matrix, count: int) -> Matrix:
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != count:
        raise StageError(f"vectors of shape {vectors.shape} for {count} texts")
    if not np.isfinite(vectors).all():
        raise StageError("vectors that are not finite", hint="precision: fp32 may help")
    return vectors
