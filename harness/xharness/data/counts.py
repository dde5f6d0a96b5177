"""How much of a split there was, and how much of it was used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xharness.plugin.catalogue import Catalogue
from xharness.stages import DataSlice


@dataclass(frozen=True)
class RowCount:
    """How much of a split there was, and how much was used.

    It is kept beside the examples, so that every number made from them can carry the mark
    *partial data*.
    """

    card: str
    language: str
    split: str
    rows: int
    expected: int | None
    used: int
    unlearnable: int = 0
    """Rows that a model cannot learn from, such as those whose answer is nowhere."""
    answers: int = 0
    repaired: int = 0
    """How many of the `answers` stood elsewhere than the data says; they were put right."""
    sampled: bool = False
    """Whether what was used was drawn, and is not the first rows."""
    translated: str | None = None
    """By which translator the rows were translated into `language`, if they were."""

    @property
    def partial(self) -> bool:
        """Whether the data is not the publisher's whole split."""
        return self.expected is not None and self.rows != self.expected

    def __str__(self) -> str:
        return (
            f"{self.card} {self.language} {self.split}: {self.rows} rows, {self.expected} expected"
        )


def expected_rows(data_slices: Iterable[DataSlice], catalogue: Catalogue) -> int | None:
    """How many examples the cards say there are, for estimates; None where one does not say."""
    total = 0
    for data_slice in data_slices:
        card = catalogue.card(data_slice.card)
        rows = card.expected_rows(data_slice.language, data_slice.split)
        if rows is None:
            return None
        total += rows if data_slice.limit is None else min(rows, data_slice.limit)
    return total
