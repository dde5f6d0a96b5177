"""Stages that do nothing, a store in memory, and a pool whose clock is turned by hand."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pluggy

from xharness.executor.context import RunContext
from xharness.executor.outcome import StageOutcome
from xharness.executor.pool import (
    PoolEvent,
    StageEnded,
    StageProgressed,
    StageTaken,
    WorkerLost,
    WorkerPool,
)
from xharness.planning.plan import Plan
from xharness.plugin import hookspecs
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage
from xharness.stages.label import StageLabel

RUNS, FAILS, DIES, HANGS, IS_TAKEN = "runs", "fails", "dies", "hangs", "is taken"


@dataclass(frozen=True)
class FakeStage:
    key: str
    needs: tuple[FakeStage, ...] = ()


class FakeStore:
    def __init__(self, root: Path, stored: Iterable[str] = ()) -> None:
        self.root, self.stored = root, {*stored}

    def has(self, key: str) -> bool:
        return key in self.stored

    def folder(self, key: str) -> Path:
        return self.root / key

    def receipt(self, key: str) -> Any:
        return SimpleNamespace(facts={})


@dataclass
class Recorder:
    """Writes down what observers are told."""

    started: list[str] = field(default_factory=list)
    finished: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    progress: list[tuple[str, int]] = field(default_factory=list)

    @hookimpl
    def xharness_stage_started(self, stage: Stage) -> None:
        self.started.append(stage.key)

    @hookimpl
    def xharness_stage_finished(self, stage: Stage, outcome: str) -> None:
        self.finished.append((stage.key, outcome))

    @hookimpl
    def xharness_stage_waiting(self, stage: Stage) -> None:
        self.waiting.append(stage.key)

    @hookimpl
    def xharness_run_message(self, message: str) -> None:
        self.messages.append(message)

    @hookimpl
    def xharness_stage_progress(self, stage: Stage, completed: int) -> None:
        self.progress.append((stage.key, completed))


def fake_context(store: FakeStore, recorder: Recorder, *, debug: bool = False) -> RunContext:
    manager = pluggy.PluginManager("xharness")
    manager.add_hookspecs(hookspecs)
    manager.register(recorder)
    catalogue = SimpleNamespace(plugins=SimpleNamespace(manager=manager))
    environment = SimpleNamespace(strict_data=False)
    runtime = SimpleNamespace(keep="all")
    values: Any = (catalogue, None, store, environment, runtime, debug)
    return RunContext(*values)


def fake_plan(stages: Sequence[FakeStage]) -> Plan:
    """A plan in which nothing is in vain."""
    study: Any = None
    plan = Plan(study)
    for stage in stages:
        plan.stages[stage.key] = cast(Stage, stage)
        plan.labels[stage.key] = StageLabel("m", "do", stage.key)
    plan.arms = [cast(Any, SimpleNamespace(score=stage)) for stage in stages]
    return plan


class FakePool(WorkerPool):
    """`fates` says of a stage how each of its attempts ends; attempts beyond them run."""

    def __init__(
        self,
        store: FakeStore,
        workers: int,
        fates: Mapping[str, Sequence[str]] | None = None,
        seed: int = 0,
    ) -> None:
        self.now = 0.0
        self.attempts: dict[str, int] = defaultdict(int)
        self.workers_of: dict[str, list[str]] = defaultdict(list)
        self.order: list[str] = []
        self.peak = 0
        self._store, self._fates = store, fates or {}
        self._draw = random.Random(seed)
        self._idle = [f"w{number}" for number in range(workers)]
        self._count = workers
        self._running: dict[str, tuple[Stage, StageLabel, str]] = {}

    def clock(self) -> float:
        return self.now

    def idle(self) -> Collection[str]:
        return self._idle

    def submit(self, worker: str, stage: Stage, label: StageLabel) -> None:
        self._idle.remove(worker)
        assert all(self._store.has(need.key) for need in stage.needs), "a need is not stored"
        assert not any(
            stage.key == running_stage.key for running_stage, _, _ in self._running.values()
        )
        fates = self._fates.get(stage.key, ())
        number = self.attempts[stage.key]
        self.attempts[stage.key] += 1
        self.workers_of[stage.key].append(worker)
        self.order.append(stage.key)
        self._running[worker] = (stage, label, fates[number] if number < len(fates) else RUNS)
        self.peak = max(self.peak, len(self._running))

    def wait(self, seconds: float) -> Iterable[PoolEvent]:
        awake = sorted(name for name, (_, _, fate) in self._running.items() if fate != HANGS)
        if not awake:
            self.now += seconds
            return []
        self.now += 0.001
        worker = self._draw.choice(awake)
        stage, label, fate = self._running.pop(worker)
        if fate == DIES:
            self._replace()
            return [WorkerLost(worker, "killed")]
        self._idle.append(worker)
        if fate == IS_TAKEN:
            return [StageTaken(worker)]
        if fate == FAILS:
            return [StageEnded(worker, StageOutcome(stage, label, "failed", "oops", None, 1))]
        self._store.stored.add(stage.key)
        outcome = StageOutcome(stage, label, "ran", facts={})
        return [StageProgressed(worker, 1, 1, "steps"), StageEnded(worker, outcome)]

    def stop(self, worker: str) -> None:
        del self._running[worker]
        self._replace()

    def _replace(self) -> None:
        self._idle.append(f"w{self._count}")
        self._count += 1
