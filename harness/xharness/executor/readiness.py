"""Carries out a plan over a pool of workers: a stage starts when everything it needs has ended.

Which worker runs where, and how it is reached, is the pool's own business.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path

from xharness.errors import StageError
from xharness.executor.attempt import reuse
from xharness.executor.broom import Broom
from xharness.executor.context import RunContext
from xharness.executor.outcome import RunReport, StageOutcome
from xharness.executor.pool import (
    PoolEvent,
    StageEnded,
    StageProgressed,
    StageTaken,
    WorkerLost,
    WorkerPool,
)
from xharness.executor.ready_stages import ReadyStages, model_afterwards
from xharness.files import write_text
from xharness.planning.plan import Plan
from xharness.stages import Stage, Train
from xharness.store import FAILURE

_LONGEST_WAIT = 1.0  # seconds between looks at the clock
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 5.0  # seconds until a taken stage is offered again


@dataclass(frozen=True)
class StageLimits:
    """What a stage may cost before it counts as failed."""

    retries: int = 1
    """How many times a stage is tried again whose worker was lost."""
    hang_seconds: float = 1800
    """After so long without progress a worker is taken for lost."""


@dataclass
class _Assignment:
    stage: Stage
    last_sign: float
    """When the worker was last heard of."""


def carry_out_plan(
    plan: Plan,
    context: RunContext,
    pool: WorkerPool,
    limits: StageLimits = StageLimits(),
    clock: Callable[[], float] = time.monotonic,
) -> RunReport:
    """Carry out `plan`; stages that are stored, or that nobody needs any more, are reused.

    A failed stage takes only its dependents with it. The report is in the plan's order.

    Raises:
        StageError: the first failure, under `context.debug`.
        UnavailableError: the pool has no workers left.
    """
    scheduler = _Scheduler(plan, context, pool, limits, clock)
    scheduler.run()
    return RunReport({key: scheduler.report.outcomes[key] for key in plan.stages})


class _Scheduler:
    """What stands in the way of each stage, who works on what, and what has ended."""

    def __init__(
        self,
        plan: Plan,
        context: RunContext,
        pool: WorkerPool,
        limits: StageLimits,
        clock: Callable[[], float],
    ) -> None:
        self._plan, self._context, self._pool = plan, context, pool
        self._limits, self._clock = limits, clock
        self._hook = context.catalogue.plugins.manager.hook
        # Asked once, at the start: what other processes finish meanwhile is seen stage by stage.
        self._needed = {stage.key for stage in plan.needed(context.store.has)}
        self._positions = {key: number for number, key in enumerate(plan.stages)}
        self._open_needs: dict[str, int] = {}
        self._dependents: dict[str, list[str]] = defaultdict(list)
        for key, stage in plan.stages.items():
            needs = {need.key for need in stage.needs}
            self._open_needs[key] = len(needs)
            for need in needs:
                self._dependents[need].append(key)
        self._broom = Broom(plan, context.store, context.runtime.keep)
        self._ready = ReadyStages()
        self._assignments: dict[str, _Assignment] = {}
        self._loaded_models: dict[str, str | None] = {}
        self._losses: Counter[str] = Counter()
        self._delays: dict[str, float] = {}
        self._held_elsewhere: list[tuple[float, str]] = []
        self.report = RunReport()

    def run(self) -> None:
        """Go on until every stage of the plan has ended."""
        for key in [key for key, count in self._open_needs.items() if not count]:
            self._enter([key])
        while len(self.report.outcomes) < len(self._plan.stages):
            self._retry_held()
            self._assign()
            for event in self._pool.wait(self._seconds_to_wait()):
                self._handle(event)
            self._stop_hanging()

    def _enter(self, keys: list[str]) -> None:
        """Queue stages whose needs have all ended; settle at once those that need no worker."""
        # A loop: each that is settled may free the next, through thousands of stages.
        while keys:
            key = keys.pop()
            stage, label = self._plan.stages[key], self._plan.labels[key]
            needed = key in self._needed
            skipped = None
            if needed or self._context.environment.strict_data:
                skipped = self.report.skipped(stage, label)
            if needed and skipped is None:
                self._ready.add(self._positions[key], stage)
                continue
            outcome = skipped or reuse(stage, label, self._context)
            if needed:
                self._tell_finished(outcome)
            keys += self._settled(outcome)

    def _settled(self, outcome: StageOutcome) -> list[str]:
        """Note how a stage ended; the stages that waited for nothing else."""
        self.report.add(outcome)
        if outcome.ending in ("ran", "reused"):
            self._broom.stored(outcome.stage)
        freed = []
        for key in self._dependents[outcome.stage.key]:
            self._open_needs[key] -= 1
            if not self._open_needs[key]:
                freed.append(key)
        return freed

    def _assign(self) -> None:
        # A copy: an assignment changes who is idle.
        for worker in list(self._pool.idle()):
            stage = self._ready.take(self._loaded_models.get(worker))
            while stage is not None and self._is_overtaken(stage):
                outcome = StageOutcome(stage, self._plan.labels[stage.key], "reused")
                self._enter(self._settled(outcome))
                stage = self._ready.take(self._loaded_models.get(worker))
            if stage is None:
                return
            self._assignments[worker] = _Assignment(stage, self._clock())
            label = self._plan.labels[stage.key]
            number = len(self.report.outcomes) + len(self._assignments)
            self._hook.xharness_stage_started(
                stage=stage, label=label, position=(number, len(self._plan.stages))
            )
            self._pool.submit(worker, stage, label)

    def _is_overtaken(self, stage: Stage) -> bool:
        """Whether another process finished a training and all that needs it, and removed it."""
        store = self._context.store
        return (
            isinstance(stage, Train)
            and store.has_facts(stage.key)
            and not store.has(stage.key)
            and all(store.has_facts(key) for key in self._dependents[stage.key])
        )

    def _retry_held(self) -> None:
        """Queue again the stages whose turn it is among those that other processes had taken."""
        while self._held_elsewhere and self._held_elsewhere[0][0] <= self._clock():
            _, key = heappop(self._held_elsewhere)
            self._ready.add(self._positions[key], self._plan.stages[key])

    def _seconds_to_wait(self) -> float:
        if not self._held_elsewhere:
            return _LONGEST_WAIT
        # Never 0, or a pool that has nothing to tell would be asked without a pause.
        return min(max(self._held_elsewhere[0][0] - self._clock(), 0.01), _LONGEST_WAIT)

    def _handle(self, event: PoolEvent) -> None:
        assignment = self._assignments.get(event.worker)
        if isinstance(event, WorkerLost):
            self._lose(event.worker, event.reason)
        elif assignment is None:
            return
        elif isinstance(event, StageProgressed):
            assignment.last_sign = self._clock()
            self._hook.xharness_stage_progress(
                stage=assignment.stage,
                completed=event.completed,
                total=event.total,
                unit=event.unit,
            )
        elif isinstance(event, StageTaken):
            self._put_aside(event.worker)
        else:
            self._end(event)

    def _end(self, event: StageEnded) -> None:
        stage = self._assignments.pop(event.worker).stage
        # One that was reused loaded nothing.
        if event.outcome.ending == "ran":
            loaded_model = self._loaded_models.get(event.worker)
            self._loaded_models[event.worker] = model_afterwards(stage, loaded_model)
        self._tell_finished(event.outcome)
        if self._context.debug and event.outcome.ending == "failed":
            raise StageError(str(event.outcome.reason), where=str(event.outcome.label))
        self._enter(self._settled(event.outcome))

    def _tell_finished(self, outcome: StageOutcome) -> None:
        self._hook.xharness_stage_finished(
            stage=outcome.stage,
            label=outcome.label,
            outcome=outcome.ending,
            receipt=outcome.facts,
        )

    def _put_aside(self, worker: str) -> None:
        """Let another process have the worker's stage, and ask for it again later and later."""
        stage = self._assignments.pop(worker).stage
        delay = self._delays.get(stage.key, _FIRST_DELAY)
        self._delays[stage.key] = min(2 * delay, _LONGEST_DELAY)
        heappush(self._held_elsewhere, (self._clock() + delay, stage.key))
        self._hook.xharness_stage_waiting(stage=stage, label=self._plan.labels[stage.key])

    def _stop_hanging(self) -> None:
        now = self._clock()
        for worker, assignment in list(self._assignments.items()):
            if now - assignment.last_sign > self._limits.hang_seconds:
                # Ended, not waited for: what hangs in a driver or a download never answers.
                self._pool.stop(worker)
                self._lose(worker, f"no progress for {now - assignment.last_sign:.0f} seconds")

    def _lose(self, worker: str, reason: str) -> None:
        """Give the stage of a worker that is gone to another one, unless it has cost too many."""
        self._loaded_models.pop(worker, None)
        assignment = self._assignments.pop(worker, None)
        if assignment is None:
            return
        stage = assignment.stage
        label = self._plan.labels[stage.key]
        self._losses[stage.key] += 1
        if self._losses[stage.key] <= self._limits.retries:
            self._hook.xharness_run_message(message=f"{label} is tried again: {reason}")
            self._ready.add(self._positions[stage.key], stage)
            return
        text = f"lost {_times(self._losses[stage.key])} with its worker: {reason}"
        log = self._note(stage, text)
        outcome = StageOutcome(stage, label, "failed", text, log, StageError.exit_code)
        self._tell_finished(outcome)
        self._enter(self._settled(outcome))

    def _note(self, stage: Stage, text: str) -> Path | None:
        """Write the reason among the stage's files: the worker can no longer do it."""
        path = self._context.store.folder(stage.key) / FAILURE
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, f"{self._plan.labels[stage.key]}\n\n{text}\n")
        except OSError:
            return None
        return path


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
