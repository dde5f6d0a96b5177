"""Workers that carry out one stage at a time each, and what they tell while they do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from xharness.executor.outcome import StageOutcome
from xharness.stages import Stage
from xharness.stages.label import StageLabel


@dataclass(frozen=True)
class StageProgressed:
    """`completed` of `total` (None: unknown) are through, in such a `unit`."""

    worker: str
    completed: int
    total: int | None
    unit: str


@dataclass(frozen=True)
class StageEnded:
    """The worker's stage ended, well or not; the worker is idle again."""

    worker: str
    outcome: StageOutcome


@dataclass(frozen=True)
class StageTaken:
    """Another process holds the worker's stage; nothing was done, the worker is idle again."""

    worker: str


@dataclass(frozen=True)
class WorkerLost:
    """The worker is gone, and with it the stage that it may have had."""

    worker: str
    reason: str


PoolEvent = StageProgressed | StageEnded | StageTaken | WorkerLost


class WorkerPool(ABC):
    """Workers by name; those that are lost are replaced, under names not used before."""

    @abstractmethod
    def idle(self) -> Collection[str]:
        """The workers that can be given a stage now."""

    @abstractmethod
    def submit(self, worker: str, stage: Stage, label: StageLabel) -> None:
        """Give an idle worker a stage whose needs are stored."""

    @abstractmethod
    def wait(self, seconds: float) -> Iterable[PoolEvent]:
        """What has happened since the last call; waits until something does, at most `seconds`.

        Raises:
            UnavailableError: there are no workers left, and there will be none.
        """

    @abstractmethod
    def stop(self, worker: str) -> None:
        """End a worker that does not answer; no event of it comes any more."""
