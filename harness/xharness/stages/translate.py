"""Rows of a task, and the stage that translates their texts: each names the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xharness.spec.sources import Split
from xharness.stages.checkpoint import Start
from xharness.stages.stage import Stage


@dataclass(frozen=True)
class DataSlice:
    """Some rows of one task: the card's name to find it, the fingerprint to identify it."""

    card: str
    language: str
    """What they are in, or are translated into: training sets are in a translation's target."""
    split: Split
    limit: int | None
    fingerprint: str
    sample: int | None = None
    """The seed that draws `limit` rows; without it they are the first ones."""
    translation: Translate | None = None
    """Where their texts come from, if not from the data."""

    @property
    def text_language(self) -> str:
        """The language of the texts that a model is given."""
        return self.translation.target if self.translation else self.language

    @property
    def identity(self) -> list[Any]:
        """What it adds to the keys of stages that read it."""
        # Named, so that a sample's seed is never taken for another optional part of the list.
        sample = [] if self.sample is None else [{"sample": self.sample}]
        translation = [] if self.translation is None else [{"translation": self.translation.key}]
        return [self.fingerprint, self.limit, *sample, *translation]


@dataclass(frozen=True)
class Translate(Stage):
    """Translate the texts of some rows."""

    name: ClassVar[str] = "translate"

    data_slice: DataSlice
    translator: Start
    source: str
    target: str

    @property
    def needs(self) -> tuple[Stage, ...]:
        return ()

    @property
    def inputs(self) -> Mapping[str, Any]:
        return {
            "translator": self.translator.key,
            "data_slice": identities((self.data_slice,)),
            "languages": [self.source, self.target],
        }


def identities(data_slices: Iterable[DataSlice]) -> list[Any]:
    """What data slices add to a key where their languages and splits matter too."""
    return [
        [data_slice.language, data_slice.split, *data_slice.identity] for data_slice in data_slices
    ]


def translations(data_slices: Iterable[DataSlice]) -> tuple[Translate, ...]:
    """The stages that make the texts of `data_slices`."""
    return tuple(
        data_slice.translation for data_slice in data_slices if data_slice.translation is not None
    )
