"""The built-in executor: one stage after the other, in this process."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from xharness.executor.attempt import attempt
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport
from xharness.executor.pool import PoolEvent, StageEnded, StageTaken, WorkerPool
from xharness.executor.readiness import carry_out_plan
from xharness.planning.plan import Plan
from xharness.plugin.api import Executor
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage
from xharness.stages.label import StageLabel

_WORKER = "this process"


class SequentialExecutor(Executor):
    """Runs the stages of a plan in order; a failed one takes only its dependents with it.

    Several processes that run it on one store share the work.
    """

    name = "sequential"
    runs_here = True

    def run(self, plan: Plan, context: RunContext) -> RunReport:
        """Carry out `plan`; stages that are stored, or that nobody needs any more, are reused.

        Under `strict_data`, those that were made from partial data fail instead.

        Raises:
            KeyboardInterrupt: the store holds what was done, the same command goes on from there.
        """
        return carry_out_plan(plan, context, _ThisProcess(context))


class _ThisProcess(WorkerPool):
    """The one worker that cannot be lost."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._assignment: tuple[Stage, StageLabel] | None = None

    def idle(self) -> Collection[str]:
        return [] if self._assignment else [_WORKER]

    def submit(self, worker: str, stage: Stage, label: StageLabel) -> None:
        self._assignment = (stage, label)

    def wait(self, seconds: float) -> Iterable[PoolEvent]:
        if self._assignment is None:  # what is left is in the hands of other processes
            time.sleep(seconds)
            return []
        outcome = attempt(*self._assignment, self._context)
        self._assignment = None
        return [StageTaken(_WORKER) if outcome is None else StageEnded(_WORKER, outcome)]

    def stop(self, worker: str) -> None:
        raise AssertionError("this process is not stopped by itself")


@hookimpl
def xharness_executors() -> Iterable[Executor]:
    """The executor `sequential`, which runs where no other is named."""
    return [SequentialExecutor()]
