"""Stages that can start now, in the plan's order, and by the model that they start from."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush

from xharness.stages import Predict, Stage, Train

_NEAR = 64
"""Stages of the plan that a loaded model may pass over: their order says what matters first."""

_Queue = list[tuple[int, str]]
"""Positions in the plan and keys, a heap."""


class ReadyStages:
    """A queue from which a worker takes, if one is near, a stage that its loaded model serves.

    Adding and taking cost the logarithm of the queue's length.
    """

    def __init__(self) -> None:
        self._queue: _Queue = []
        self._queues_by_model: dict[str, _Queue] = defaultdict(list)
        self._stages: dict[str, Stage] = {}

    def __len__(self) -> int:
        return len(self._stages)

    def add(self, position: int, stage: Stage) -> None:
        """Add the stage that stands at `position` of the plan."""
        self._stages[stage.key] = stage
        heappush(self._queue, (position, stage.key))
        model = starting_model(stage)
        if model is not None:
            heappush(self._queues_by_model[model], (position, stage.key))

    def take(self, loaded_model: str | None) -> Stage | None:
        """A stage that starts from `loaded_model` and stands near the first of all, or that."""
        first, served = self._first(self._queue), None
        if first is not None and loaded_model in self._queues_by_model:
            served = self._first(self._queues_by_model[loaded_model])
        if served is not None and first is not None and served[0] - first[0] <= _NEAR:
            first = served
        return None if first is None else self._stages.pop(first[1])

    def _first(self, queue: _Queue) -> tuple[int, str] | None:
        """The head of `queue`, without those that were taken from another one."""
        while queue and queue[0][1] not in self._stages:
            heappop(queue)
        return queue[0] if queue else None


def starting_model(stage: Stage) -> str | None:
    """The key of the checkpoint that a stage loads."""
    if isinstance(stage, Train):
        return stage.start.key
    return stage.model.key if isinstance(stage, Predict) else None


def model_afterwards(stage: Stage, loaded_model: str | None) -> str | None:
    """The key of the checkpoint that a worker has loaded when it is through with a stage."""
    if isinstance(stage, Train):
        return stage.key
    return stage.model.key if isinstance(stage, Predict) else loaded_model
