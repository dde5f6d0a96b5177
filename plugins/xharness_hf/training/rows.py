"""Packed rows of fixed shapes: what a graph is recorded for, and how the host fills one.

A row holds a batch's windows one after the other; windows of padding fill its tail, because a
kernel leaves unwritten what no window covers, and what is unwritten may be no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xharness import Recipe
from xharness_hf.backbone.batch import Feature, Layout
from xharness_hf.backbone.placement import Capacity, Longs, Placement, consecutive, filled
from xharness_hf.heads.tasks import TrainingObjective
from xharness_hf.training.budgets import Budget, StepPrices, budgets, row_length


@dataclass(frozen=True)
class RowShape:
    """The sizes of a row and of all that is staged with it."""

    budget: Budget
    capacity: Capacity
    borders: int
    """How many numbers say where the windows of a row begin, and the last of them ends."""
    arrays: tuple[tuple[str, int], ...] = ()
    """Names and sizes of the arrays in the order in which they are staged."""

    @property
    def size(self) -> int:
        """Numbers that are staged for a row."""
        return sum(size for _, size in self.arrays)

    def views(self, memory: Tensor) -> dict[str, Tensor]:
        """The arrays in `memory`, (size,)."""
        # torch's stubs leave it untyped.
        split: Any = torch.split
        parts = split(memory[: self.size], [size for _, size in self.arrays])
        return {name: part for (name, _), part in zip(self.arrays, parts, strict=True)}

    def write(self, arrays: Mapping[str, Longs], memory: Longs) -> None:
        """Put the arrays into `memory`, (size,), in their order."""
        first = 0
        for name, size in self.arrays:
            memory[first : first + size] = arrays[name]
            first += size


@dataclass(frozen=True)
class FeatureCounts:
    """Of each feature of a feed: sub-words, windows, marks; and the longest window of all."""

    tokens: Longs
    windows: Longs
    marks: Longs
    longest: int

    @classmethod
    def of(
        cls, features: Sequence[Feature], task: TrainingObjective, recipe: Recipe
    ) -> FeatureCounts:
        """Count them; marks are what `task` looks at while it learns."""
        return cls(
            np.array([sum(len(window.ids) for window in feature.windows) for feature in features]),
            np.array([len(feature.windows) for feature in features]),
            np.array([task.marks(feature, recipe) for feature in features]),
            max(feature.length for feature in features),
        )


def shapes(
    rows: Sequence[NDArray[np.int64]], counts: FeatureCounts, prices: StepPrices
) -> list[RowShape]:
    """Ascending shapes that hold all `rows`, each the indices of its features in the feed."""
    totals = np.array([counts.tokens[row].sum() for row in rows])
    windows = np.array([counts.windows[row].sum() for row in rows])
    marks = np.array([counts.marks[row].sum() for row in rows])
    sizes = np.array([len(row) for row in rows])
    row_budgets = budgets(totals.tolist(), prices)
    lengths = [budget.tokens for budget in row_budgets]
    # The smallest budget that holds the row, as `RowPlan.choose` takes it.
    owner = np.searchsorted(lengths, [row_length(total) for total in totals])
    row_shapes = []
    for index, budget in enumerate(row_budgets):
        members = owner == index
        room = Capacity(
            budget.tokens, int(windows[members].max()), int(sizes[members].max()),
            int(marks[members].max()), int(counts.windows.max()), counts.longest,
        )  # fmt: skip
        # Room for the fillers of the emptiest row; fuller ones repeat the last border.
        tail = budget.tokens - int(totals[members].min())
        fillers = -(-tail // counts.longest)
        # One more than windows: each begins where the one before it ends.
        row_shapes.append(RowShape(budget, room, room.windows + fillers + 1))
    return row_shapes


@dataclass(frozen=True)
class RowFiller:
    """Fills rows of one feed."""

    task: TrainingObjective
    recipe: Recipe
    layout: Layout
    first_position: int
    has_types: bool
    """Whether the backbone tells the first text from the second by types."""
    resets: bool
    """Whether positions count anew in a window's second text."""
    row_of: Longs | None = None
    """For each sub-word its row in the table that learns."""

    def arrays(self, features: Sequence[Feature], shape: RowShape) -> dict[str, Longs]:
        """All that is staged for a row of these features."""
        tokens = shape.capacity.tokens
        windows = [window for feature in features for window in feature.windows]
        lengths = np.array([len(window.ids) for window in windows], dtype=np.int64)
        ends = np.cumsum(lengths)
        starts, total = ends - lengths, int(ends[-1])
        ids = filled(np.concatenate([window.ids for window in windows]), tokens, self.layout.pad)
        # What fills up is windows as well, so its positions begin anew after each longest length.
        positions = np.arange(tokens) - total
        positions %= shape.capacity.length
        positions[:total] = consecutive(np.zeros_like(starts), lengths)
        seconds = np.repeat([window.second for window in windows], lengths)
        types = filled(positions[:total] >= seconds, tokens)
        if self.resets:
            positions[:total] -= np.where(types[:total], seconds, 0)
        placement = Placement(starts, lengths, shape.capacity, self.layout.skip)
        staged = {
            "ids": ids if self.row_of is None else self.row_of[ids],
            "positions": positions + self.first_position,
            "borders": self._borders(ends, shape),
            "terms": np.array([self.task.terms(features)], dtype=np.int64),
        }
        if self.has_types:
            staged["types"] = types
        return staged | self.task.targets(features, placement, self.recipe)

    def with_arrays(self, shape: RowShape, features: Sequence[Feature]) -> RowShape:
        """`shape` with the names and sizes of its arrays, as any features show them."""
        sizes = ((name, len(array)) for name, array in self.arrays(features, shape).items())
        return RowShape(shape.budget, shape.capacity, shape.borders, tuple(sizes))

    @staticmethod
    def _borders(ends: Longs, shape: RowShape) -> Longs:
        """Where windows begin and end: the features', those of padding, and empty ones."""
        tokens = shape.capacity.tokens
        fillers = np.arange(ends[-1], tokens, shape.capacity.length)[1:]
        return filled(np.concatenate([[0], ends, fillers]), shape.borders, tokens)


class RowPlan:
    """The shapes of a feed's rows, and which of them a row takes."""

    def __init__(self, shapes: Sequence[RowShape]) -> None:
        self.shapes = shapes

    def choose(self, tokens: int) -> int:
        """The index of the shape for a row of so many sub-words."""
        return int(np.searchsorted(self._budgets, row_length(tokens)))

    @cached_property
    def _budgets(self) -> list[int]:
        return [shape.budget.tokens for shape in self.shapes]
