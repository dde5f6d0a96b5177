"""Predictions that are found by search: indexes of candidates, and items to tune on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xharness.data.counts import RowCount
from xharness.executor.context import ProgressCounter, RunContext
from xharness.executor.encode import CachedEncoder
from xharness.plugin.api import Example, Prediction
from xharness.stages import DataSlice, Predict
from xharness.task_types.base import TaskType
from xharness.task_types.search import CandidateIndex, SearchRequest, build_index

_STEP = 1024  # rows between two reports of progress


class SearchPredictions:
    """The predictions of one stage by search; what it keeps between languages lies in `folder`."""

    def __init__(
        self, stage: Predict, context: RunContext, folder: Path, counter: ProgressCounter
    ) -> None:
        self._stage, self._context = stage, context
        self._folder, self._counter = folder, counter
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
            return replace(request, tuning=request)
        index = self._index(task_type, tuning, folder)
        return replace(request, tuning=SearchRequest([*self._read(tuning)], encoder, index))

    def _encoder(self, folder: Path) -> CachedEncoder:
        context, stage = self._context, self._stage
        return CachedEncoder(lambda: context.model(stage.model), stage.recipe, folder)

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
