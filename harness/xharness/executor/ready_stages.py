"""Stages that can start now, in the plan's order, and by the model that they start from."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush

from xharness.stages import Predict, Stage, Train


class ReadyStages:
    """A queue from which a worker takes, if it can, a stage that its loaded model serves.

    Adding and taking cost the logarithm of the queue's length.
    """

    def __init__(self) -> None:
        self._queue: list[tuple[int, str]] = []
        self._queues_by_model: dict[str, list[tuple[int, str]]] = defaultdict(list)
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
        """The first stage that starts from `loaded_model`, else the first of all."""
        stage = None
        if loaded_model in self._queues_by_model:
            stage = self._first(self._queues_by_model[loaded_model])
        return stage or self._first(self._queue)

    def _first(self, queue: list[tuple[int, str]]) -> Stage | None:
        while queue:
            _, key = heappop(queue)
            if key in self._stages:  # it may have been taken from the other queue
                return self._stages.pop(key)
        return None


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
