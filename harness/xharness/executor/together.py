"""Answers items that can only be answered together: pools of candidates, tuning, and the kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from xharness.data import Count
from xharness.executor.encoding import Encoder
from xharness.executor.work import Done, Work
from xharness.extend import Example, Prediction
from xharness.kinds import Asked, Pool, Together, pool
from xharness.stages import Portion, Predict

_STEP = 1024  # rows between two reports of progress


class Answering:
    """One Predict stage of such a kind; what it keeps between languages lies in `folder`."""

    def __init__(self, stage: Predict, work: Work, folder: Path, done: Done) -> None:
        self._stage, self._work, self._folder, self._done = stage, work, folder, done
        self._counts: dict[Portion, Count] = {}
        self._pools: dict[tuple[Portion, ...], Pool] = {}

    def answer(
        self, kind: Together, portion: Portion, examples: Sequence[Example]
    ) -> Sequence[Prediction]:
        """One prediction for each of the portion's examples, in order."""
        own = self._folder / portion.language
        return kind.answer(self._asked(kind, portion, examples, own))

    def counts(self) -> list[Count]:
        """How many rows there were beside the items; what nobody has read is read for it."""
        beside = self._stage.beside
        portions = dict.fromkeys(beside.portions if beside else ())
        for portion in portions:
            if portion not in self._counts:
                for _ in self._read(portion):
                    pass
        return [self._counts[portion] for portion in portions]

    def _asked(self, kind: Together, portion: Portion, examples: Sequence[Any], own: Path) -> Asked:
        asked = Asked(examples, self._encoder(own), self._pool(kind, portion, own))
        beside = self._stage.beside
        tuned = beside.tuned(portion) if beside else None
        if tuned is None:
            return asked
        if tuned == portion:
            return replace(asked, tuning=asked)
        tuning = Asked([*self._read(tuned)], self._encoder(own), self._pool(kind, tuned, own))
        return replace(asked, tuning=tuning)

    def _encoder(self, folder: Path) -> Encoder:
        work, stage = self._work, self._stage
        return Encoder(lambda: work.model(stage.model), stage.recipe, folder)

    def _pool(self, kind: Together, portion: Portion, own: Path) -> Pool | None:
        """The candidates for `portion`; a pool that all languages share is kept for the next."""
        beside = self._stage.beside
        if beside is None:
            return None
        portions = beside.pool(portion)
        if portions in self._pools:
            return self._pools[portions]
        folder = self._folder / "pool" if beside.pooled else own
        found = pool(self._candidates(portions), self._encoder(folder), kind.candidates)
        self._pools = {portions: found} if beside.pooled else {}
        return found

    def _candidates(self, portions: Sequence[Portion]) -> Iterator[Any]:
        """The candidates of all portions; in a pool of several languages, ids tell theirs."""
        for portion in portions:
            for one in self._read(portion):
                several = len(portions) > 1
                yield replace(one, id=f"{portion.language}:{one.id}") if several else one

    def _read(self, portion: Portion) -> Iterator[Any]:
        """The portion's examples, counted; told in steps, because there may be millions."""
        stream = self._work.data.stream(portion)
        for number, one in enumerate(stream, 1):
            yield one
            if number % _STEP == 0:
                self._done.add(_STEP)
        self._counts[portion] = stream.count
        self._done.add(stream.count.used % _STEP)
