"""Ray actors as a pool of workers."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xharness import (
    ContextSpec,
    NodeNeeds,
    PoolEvent,
    Stage,
    StageEnded,
    StageLabel,
    StageOutcome,
    StageProgressed,
    StageTaken,
    UnavailableError,
    WorkerLost,
    WorkerPool,
    software_versions,
)
from xharness_ray.cluster import running_ray
from xharness_ray.options import RayOptions
from xharness_ray.shares import Share
from xharness_ray.worker import NodeCheck, NodeReport, StageWorker

_SECONDS_BETWEEN_STARTS = 2.0  # so long Ray takes to tell what is left
_VARIABLES = ("XHARNESS_", "HF_", "TRANSFORMERS_", "CUBLAS_WORKSPACE_CONFIG")
"""Names or their beginnings; what a worker of a cluster would not have from this process."""


@dataclass
class _Seat:
    """A worker: an actor, and the reference by which it is heard of next."""

    actor: Any
    reference: Any
    """Of its opening, or the stream of its stage; None while it is idle."""
    started: float
    is_open: bool = False


class RayPool(WorkerPool):
    """As many actors as fit; Ray is started when the first of them is asked for."""

    def __init__(
        self,
        spec: ContextSpec,
        needs: NodeNeeds,
        options: RayOptions,
        share: Share,
        stage_count: int,
        tell: Callable[[str], object],
        worker_class: type[StageWorker] = StageWorker,
    ) -> None:
        self._spec, self._needs, self._options = spec, needs, options
        self._share, self._tell = share, tell
        self._most_workers = min(options.workers or stage_count, stage_count)
        self._worker_class = worker_class
        self._stack = ExitStack()
        self._ray: Any = None
        self._seats: dict[str, _Seat] = {}
        self._count = 0
        self._last_start = 0.0
        self._is_ready = False

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def idle(self) -> Collection[str]:
        if self._ray is None:
            self._open()
        return [name for name, seat in self._seats.items() if seat.is_open and not seat.reference]

    def submit(self, worker: str, stage: Stage, label: StageLabel) -> None:
        seat = self._seats[worker]
        seat.reference = seat.actor.carry_out.options(num_returns="streaming").remote(stage, label)

    def wait(self, seconds: float) -> Iterable[PoolEvent]:
        self._refill()
        names = {seat.reference: name for name, seat in self._seats.items() if seat.reference}
        if not names:
            time.sleep(seconds)
            return []
        ready, _ = self._ray.wait([*names], num_returns=1, timeout=seconds)
        if ready and len(names) > 1:  # others may have something to tell by now
            ready, _ = self._ray.wait([*names], num_returns=len(names), timeout=0)
        return [event for reference in ready for event in self._events_of(names[reference])]

    def stop(self, worker: str) -> None:
        self._ray.kill(self._seats.pop(worker).actor)

    def _events_of(self, worker: str) -> Iterator[PoolEvent]:
        seat = self._seats[worker]
        try:
            if not seat.is_open:
                self._admit(worker, self._ray.get(seat.reference))
                return
            item = self._ray.get(next(seat.reference))
        except (self._ray.exceptions.RayError, StopIteration) as error:
            del self._seats[worker]
            yield WorkerLost(worker, _reason(error))
            return
        if isinstance(item, tuple):
            yield StageProgressed(worker, *item)
            return
        seat.reference = None
        ended = isinstance(item, StageOutcome)
        yield StageEnded(worker, item) if ended else StageTaken(worker)

    def _open(self) -> None:
        """Start Ray and as many workers as fit; go on when all of them are ready.

        Raises:
            UnavailableError: a machine is not fit for the run, or none is ready in time.
        """
        self._ray = self._stack.enter_context(running_ray(self._options))
        self._actor_class = self._ray.remote(self._worker_class)
        self._check = self._prepared_check()
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        self._share = self._share.on(nodes)
        fitting = sum(self._share.fitting(node["Resources"]) for node in nodes)
        count = min(fitting, self._most_workers)
        if not count:
            raise UnavailableError(
                f"no machine has what a worker takes: {self._share}",
                where="executor 'ray'",
                hint="ask for less under runtime.executor",
            )
        site = self._options.address or "this machine"
        self._tell(f"Ray on {site}: {count} workers, each with {self._share}")
        for _ in range(count):
            self._start()
        self._wait_for_all()
        self._is_ready = True

    def _wait_for_all(self) -> None:
        deadline = time.monotonic() + self._options.start_seconds
        while opening := [seat.reference for seat in self._seats.values() if not seat.is_open]:
            seconds = deadline - time.monotonic()
            if seconds < 0:
                break
            ready, _ = self._ray.wait(opening, num_returns=1, timeout=seconds)
            for name in [n for n, seat in self._seats.items() if seat.reference in ready]:
                for event in self._events_of(name):
                    raise UnavailableError(f"a worker cannot start: {event}")
        if not any(seat.is_open for seat in self._seats.values()):
            raise UnavailableError(
                f"no worker was ready after {self._options.start_seconds:.0f} seconds",
                where="executor 'ray'",
                hint="runtime.executor.start_seconds gives them more time",
            )

    def _admit(self, worker: str, report: NodeReport) -> None:
        seat = self._seats[worker]
        if not report.problems:
            seat.is_open, seat.reference = True, None
            return
        error = UnavailableError(
            "\n  ".join(["not fit for this run:", *report.problems]), where=f"node {report.node}"
        )
        if not self._is_ready:
            raise error
        self._tell(str(error))  # a machine that joined later: the others go on
        self.stop(worker)
        # Not again at once: the next worker may well get the same machine.
        self._last_start = time.monotonic() + self._options.start_seconds

    def _start(self) -> None:
        # No restarts by Ray: an actor of its own making would not have been opened; see `_refill`.
        actor = self._actor_class.options(**self._share.settings, max_restarts=0).remote(
            self._spec, _variables()
        )
        name = f"worker {self._count}"
        self._count += 1
        self._last_start = time.monotonic()
        self._seats[name] = _Seat(actor, actor.open.remote(self._check), self._last_start)

    def _refill(self) -> None:
        """Replace lost workers, one after the other, as far as what is left of the nodes goes.

        Raises:
            UnavailableError: there is no worker, and none can be started.
        """
        now = time.monotonic()
        if now - self._last_start < _SECONDS_BETWEEN_STARTS:
            return
        opening = [name for name, seat in self._seats.items() if not seat.is_open]
        for name in opening:
            if now - self._seats[name].started > self._options.start_seconds:
                self.stop(name)
        if opening or len(self._seats) >= self._most_workers:
            return
        if self._share.fitting(self._ray.available_resources()):
            self._start()
        elif not self._seats and now - self._last_start > self._options.start_seconds:
            raise UnavailableError(
                "all workers are lost, and no machine has room for new ones",
                where="executor 'ray'",
                hint="the state is saved, the same command goes on",
            )

    def _prepared_check(self) -> NodeCheck:
        # Another machine may have another disk under the same path: only the content tells.
        token = secrets.token_hex(8)
        probe = Path(self._spec.store) / f".probe-{token}"
        self._stack.callback(probe.unlink, missing_ok=True)
        probe.write_text(token, encoding="utf-8")
        needs = self._needs if self._options.address else None
        return NodeCheck(probe, token, software_versions(), needs)


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_VARIABLES)}


def _reason(error: BaseException) -> str:
    """Ray's long account of a loss in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line for line in lines if "exit" in line.lower() or "memory" in line.lower()]
    # A traceback ends with its cause, everything else begins with it.
    text = (causes or lines[-1:] or ["no reason is known"])[0]
    return f"{type(error).__name__.split('(')[0]}: {text}"
