"""What it costs to give out stages that do nothing: `python -m benchmarks.scheduling [STAGES]`.

Ten stages in a row each, on two workers under Ray, and on a pool without any; milliseconds a stage.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from xharness import (
    ContextSpec,
    DataReader,
    NodeNeeds,
    Plan,
    PoolEvent,
    RunContext,
    RunEnvironment,
    Runtime,
    Stage,
    StageEnded,
    StageLabel,
    StageOutcome,
    Store,
    WorkerPool,
    carry_out_plan,
    open_catalogue,
)
from xharness_ray.options import RayOptions
from xharness_ray.pool import RayPool
from xharness_ray.shares import Share
from xharness_ray.worker import StageWorker

CHAIN = 10


@dataclass(frozen=True)
class Nothing:
    """A stage that does nothing."""

    key: str
    needs: tuple[Nothing, ...] = ()


class IdleWorker(StageWorker):
    """Says at once that the stage is done."""

    def carry_out(self, stage: Stage, label: StageLabel) -> Iterator[Any]:
        yield StageOutcome(stage, label, "ran", facts={})


class InstantPool(WorkerPool):
    """One worker that is never busy."""

    def __init__(self) -> None:
        self._outcome: StageOutcome | None = None

    def idle(self) -> Collection[str]:
        return [] if self._outcome else ["worker"]

    def submit(self, worker: str, stage: Stage, label: StageLabel) -> None:
        self._outcome = StageOutcome(stage, label, "ran", facts={})

    def wait(self, seconds: float) -> Iterable[PoolEvent]:
        assert self._outcome is not None
        outcome, self._outcome = self._outcome, None
        return [StageEnded("worker", outcome)]

    def stop(self, worker: str) -> None:
        """Nothing runs when it is asked."""


def main(count: int = 5000) -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        environment = RunEnvironment(cache=Path(folder))
        catalogue = open_catalogue()
        store = Store(Path(folder) / "store")
        store.prepare()
        data = DataReader(catalogue, environment)
        context = RunContext(catalogue, data, store, environment, Runtime(keep="all"))
        print(f"scheduling alone: {_timed(_plan(count), context, InstantPool()):.2f} ms a stage")
        options = RayOptions(workers=2)
        with RayPool(
            ContextSpec.of(context),
            NodeNeeds((), (), ()),
            options,
            Share.of(options, "cpu"),
            count,
            print,
            IdleWorker,
        ) as pool:
            pool.idle()
            print(f"ray: {_timed(_plan(count), context, pool):.2f} ms a stage", file=sys.stderr)


def _timed(plan: Plan, context: RunContext, pool: WorkerPool) -> float:
    start = time.perf_counter()
    carry_out_plan(plan, context, pool)
    return 1000 * (time.perf_counter() - start) / len(plan.stages)


def _plan(count: int) -> Plan:
    plan = Plan(cast(Any, None))
    previous: Nothing | None = None
    for number in range(count):
        needs = () if previous is None or number % CHAIN == 0 else (previous,)
        previous = Nothing(f"{number:032x}", needs)
        plan.stages[previous.key] = cast(Stage, previous)
        plan.labels[previous.key] = StageLabel("nothing", "do", str(number))
        plan.arms.append(cast(Any, SimpleNamespace(score=previous)))
    return plan


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
