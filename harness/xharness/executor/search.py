"""Answers items that can only be answered together: pools of candidates, tuning, and the kind."""

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
    """One Predict stage of such a kind; what it keeps between languages lies in `folder`."""

    def __init__(
        self, stage: Predict, work: RunContext, folder: Path, done: ProgressCounter
    ) -> None:
        self._stage, self._work, self._folder, self._done = stage, work, folder, done
        self._counts: dict[DataSlice, RowCount] = {}
        self._pools: dict[tuple[DataSlice, ...], CandidateIndex] = {}

    def answer(
        self, kind: TaskType, portion: DataSlice, examples: Sequence[Example]
    ) -> Sequence[Prediction]:
        """One prediction for each of the portion's examples, in order."""
        own = self._folder / portion.language
        return kind.search(self._asked(kind, portion, examples, own))

    def counts(self) -> list[RowCount]:
        """How many rows there were beside the items; what nobody has read is read for it."""
        beside = self._stage.retrieval
        portions = dict.fromkeys(beside.data_slices if beside else ())
        for portion in portions:
            if portion not in self._counts:
                for _ in self._read(portion):
                    pass
        return [self._counts[portion] for portion in portions]

    def _asked(
        self, kind: TaskType, portion: DataSlice, examples: Sequence[Any], own: Path
    ) -> SearchRequest:
        asked = SearchRequest(examples, self._encoder(own), self._pool(kind, portion, own))
        beside = self._stage.retrieval
        tuned = beside.tuning_for(portion) if beside else None
        if tuned is None:
            return asked
        if tuned == portion:
            return replace(asked, tuning=asked)
        tuning = SearchRequest(
            [*self._read(tuned)], self._encoder(own), self._pool(kind, tuned, own)
        )
        return replace(asked, tuning=tuning)

    def _encoder(self, folder: Path) -> CachedEncoder:
        work, stage = self._work, self._stage
        return CachedEncoder(lambda: work.model(stage.model), stage.recipe, folder)

    def _pool(self, kind: TaskType, portion: DataSlice, own: Path) -> CandidateIndex | None:
        """The candidates for `portion`; a pool that all languages share is kept for the next."""
        beside = self._stage.retrieval
        if beside is None:
            return None
        portions = beside.candidates_for(portion)
        if portions in self._pools:
            return self._pools[portions]
        folder = self._folder / "pool" if beside.shared_index else own
        found = build_index(self._candidates(portions), self._encoder(folder), kind.candidate_role)
        self._pools = {portions: found} if beside.shared_index else {}
        return found

    def _candidates(self, portions: Sequence[DataSlice]) -> Iterator[Any]:
        """The candidates of all portions; in a pool of several languages, ids tell theirs."""
        for portion in portions:
            for one in self._read(portion):
                several = len(portions) > 1
                yield replace(one, id=f"{portion.language}:{one.id}") if several else one

    def _read(self, portion: DataSlice) -> Iterator[Any]:
        """The portion's examples, counted; told in steps, because there may be millions."""
        stream = self._work.data.stream(portion)
        for number, one in enumerate(stream, 1):
            yield one
            if number % _STEP == 0:
                self._done.add(_STEP)
        self._counts[portion] = stream.count
        self._done.add(stream.count.used % _STEP)
