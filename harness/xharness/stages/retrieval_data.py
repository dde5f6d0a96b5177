"""What the items of a retrieval task need beside themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xharness.stages.translate import DataSlice, identities


@dataclass(frozen=True)
class RetrievalData:
    """Rows that an answer needs beside the items: candidates, and items to be tuned on."""

    shared_index: bool
    """Whether all languages' candidates are one index; else each language has its own."""
    index: tuple[DataSlice, ...]
    tuning: tuple[DataSlice, ...] = ()
    tuning_index: tuple[DataSlice, ...] = ()

    @property
    def data_slices(self) -> tuple[DataSlice, ...]:
        """All of them."""
        return (*self.index, *self.tuning, *self.tuning_index)

    def candidates_for(self, items: DataSlice) -> tuple[DataSlice, ...]:
        """The candidates for `items`, which are scored or tuned on."""
        # BUCC has candidates of its own in each split, and no pair reaches from one to another.
        index = self.tuning_index if items in self.tuning else self.index
        return index if self.shared_index else _in_language(index, items.language)

    def tuning_for(self, items: DataSlice) -> DataSlice | None:
        """The items to tune on before `items` are answered."""
        return next(iter(_in_language(self.tuning, items.language)), None)

    @property
    def identity(self) -> Any:
        """What it adds to the key of predictions."""
        return {
            "shared_index": self.shared_index,
            "index": identities(self.index),
            "tuning": identities(self.tuning),
            "tuning_index": identities(self.tuning_index),
        }


def _in_language(data_slices: tuple[DataSlice, ...], language: str) -> tuple[DataSlice, ...]:
    return tuple(data_slice for data_slice in data_slices if data_slice.language == language)
