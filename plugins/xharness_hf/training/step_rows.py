"""The rows of a training's steps: which shapes there are, and how the host fills them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xharness import StageError
from xharness_hf.backbone.batch import Feature
from xharness_hf.training.active_rows import ActiveRows
from xharness_hf.training.budgets import prices
from xharness_hf.training.rows import FeatureCounts, RowFiller, RowPlan, RowShape, shapes
from xharness_hf.training.step import TrainingContext


class StagedRow(NamedTuple):
    """A piece of a staged step: which shape it has, and where its numbers are."""

    feed: int
    """Index of the feed in the training."""
    shape: int
    """Index of the shape in the feed's plan."""
    first: int
    """Where its numbers begin in the step's memory."""
    tokens: int
    """Sub-words in it, padding left out."""


class StepRows:
    """All rows of a training, each in the smallest shape that holds it."""

    def __init__(self, context: TrainingContext, active: ActiveRows | None) -> None:
        self._context = context
        self._fillers = [self._filler(feed, active) for feed in range(len(context.feeds))]
        self._counts = [
            FeatureCounts.of(feed.features, feed.task, context.recipe) for feed in context.feeds
        ]
        self._plans: list[RowPlan] = []

    def plan(self) -> None:
        """Choose the shapes, for batches in as many pieces as memory asks for by now."""
        context = self._context
        rows: list[list[NDArray[np.int64]]] = [[] for _ in context.feeds]
        for step in range(context.sampler.total):
            draw = context.sampler[step]
            rows[draw.feed] += context.accumulation.rows(draw.features)
        self._plans = [
            self._shapes(feed, feed_rows) if feed_rows else RowPlan([])
            for feed, feed_rows in enumerate(rows)
        ]

    @property
    def largest_step(self) -> int:
        """Numbers that a step stages at most."""
        sizes = [shape.size for plan in self._plans for shape in plan.shapes]
        return max(sizes) * self._context.accumulation.count

    @property
    def most_tokens(self) -> int:
        """Sub-words of the longest row, padding counted."""
        return max(shape.capacity.tokens for plan in self._plans for shape in plan.shapes)

    def budgets(self) -> dict[str, list[int]]:
        """For the receipt: the lengths of each feed's rows."""
        return {
            feed.name: [shape.budget.tokens for shape in plan.shapes]
            for feed, plan in zip(self._context.feeds, self._plans, strict=True)
        }

    def shape(self, row: StagedRow) -> RowShape:
        """The shape that `row` has."""
        return self._plans[row.feed].shapes[row.shape]

    def fill(self, step: int, memory: NDArray[np.int64]) -> list[StagedRow]:
        """Write the rows of `step`; called by the stream's thread."""
        context = self._context
        draw = context.sampler[step]
        features = context.features(draw.feed, draw.features, step)
        terms = np.array([context.feeds[draw.feed].task.terms(features)])
        plan, rows, first = self._plans[draw.feed], [], 0
        for part in context.accumulation.of(features):
            tokens = sum(len(window.ids) for feature in part for window in feature.windows)
            # The smallest budget that holds the row: its tail is computed for nothing.
            index = plan.choose(tokens)
            shape = plan.shapes[index]
            arrays = self._fillers[draw.feed].arrays(part, shape) | {"terms": terms}
            shape.write(arrays, memory[first:])
            rows.append(StagedRow(draw.feed, index, first, tokens))
            first += shape.size
        return rows

    def longest(self) -> tuple[StagedRow, NDArray[np.int64], int]:
        """A row that takes the most memory, filled; its numbers, and the step that it is of."""
        _, feed, index = max(
            (shape.capacity.tokens, feed, index)
            for feed, plan in enumerate(self._plans)
            for index, shape in enumerate(plan.shapes)
        )
        features, step = self._first_of_shape(feed, index)
        row = StagedRow(feed, index, 0, 0)
        shape = self.shape(row)
        memory = np.zeros(shape.size, dtype=np.int64)
        shape.write(self._fillers[feed].arrays(features, shape), memory)
        return row, memory, step

    def _first_of_shape(self, feed: int, shape: int) -> tuple[list[Feature], int]:
        """The first row that has the shape, and its step."""
        context = self._context
        for step in range(context.sampler.total):
            draw = context.sampler[step]
            if draw.feed == feed:
                for part in context.accumulation.rows(draw.features):
                    tokens = int(self._counts[feed].tokens[part].sum())
                    if self._plans[feed].choose(tokens) == shape:
                        return context.features(feed, part, step), step
        raise StageError("no step has the longest row")

    def _shapes(self, feed: int, rows: Sequence[NDArray[np.int64]]) -> RowPlan:
        context = self._context
        cost = prices(context.backbone.layer_parameters, context.backbone.depth)
        sample = context.features(feed, rows[0][:1], 0)
        filler = self._fillers[feed]
        return RowPlan(
            [filler.with_arrays(shape, sample) for shape in shapes(rows, self._counts[feed], cost)]
        )

    def _filler(self, feed: int, active: ActiveRows | None) -> RowFiller:
        prepared, backbone = self._context.feeds[feed], self._context.backbone
        return RowFiller(
            prepared.task, self._context.recipe, prepared.layout, backbone.first_position,
            backbone.uses_token_types, prepared.layout.resets and backbone.positions is not None,
            None if active is None else active.row_of,
        )  # fmt: skip
