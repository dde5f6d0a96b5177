"""What runs in a worker's process: one stage at a time, told as it goes."""

from __future__ import annotations

import os
import platform
import queue
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xharness import (
    ContextSpec,
    NodeNeeds,
    StageOutcome,
    XharnessError,
    attempt,
    hookimpl,
    software_versions,
)

if TYPE_CHECKING:
    from xharness import Stage, StageLabel

_SECONDS_BETWEEN_EVENTS = 0.25  # each is a message to the driver; nobody reads faster

Progressed = tuple[int, int | None, str]
"""Completed, in all, of which unit."""


@dataclass(frozen=True)
class NodeReport:
    """What a worker says of its machine before it is given work."""

    node: str
    problems: tuple[str, ...]
    """Why it must not work here; none where all is well."""


@dataclass(frozen=True)
class NodeCheck:
    """What a machine must have; `probe` is a file in the store with the text `token`."""

    probe: Path
    token: str
    versions: dict[str, Any]
    needs: NodeNeeds | None
    """None on the machine that the plan was made on."""


class StageWorker:
    """A process that keeps its catalogue and the last model for the next stage."""

    def __init__(self, spec: ContextSpec, variables: dict[str, str]) -> None:
        # Libraries read them when they are imported, which comes later.
        os.environ.update(variables)
        self._spec = spec
        self._events: queue.SimpleQueue[Progressed | None] = queue.SimpleQueue()
        # Always the same thread: CUDA keeps memory for each that has used it.
        self._thread = ThreadPoolExecutor(1)

    def open(self, check: NodeCheck) -> NodeReport:
        """Get ready to work, if this machine has all that it takes."""
        problems = [*_store_problems(check), *_version_problems(check)]
        if not problems:
            try:
                self._context = self._spec.open()
                self._context.catalogue.plugins.manager.register(_Relay(self._events))
                problems += check.needs.unmet(self._context) if check.needs else []
            except XharnessError as error:
                problems.append(error.reason)
        return NodeReport(platform.node(), tuple(problems))

    def carry_out(
        self, stage: Stage, label: StageLabel
    ) -> Iterator[Progressed | StageOutcome | None]:
        """Progress, then how the stage ended; None where another process holds it."""
        folder = self._context.store.folder(stage.key)
        with _output_to(folder.with_suffix(".log")):
            future = self._thread.submit(attempt, stage, label, self._context)
            # Called after errors too: the loop ends, and `result` raises.
            future.add_done_callback(lambda _: self._events.put(None))
            while (event := self._events.get()) is not None:
                yield event
        yield future.result()


class _Relay:
    """An observer that passes progress on, a few times a second."""

    def __init__(self, events: queue.SimpleQueue[Progressed | None]) -> None:
        self._events = events
        self._last_time = 0.0

    @hookimpl
    def xharness_stage_progress(self, completed: int, total: int | None, unit: str) -> None:
        now = time.monotonic()
        if completed == total or now - self._last_time > _SECONDS_BETWEEN_EVENTS:
            self._last_time = now
            self._events.put((completed, total, unit))


def _store_problems(check: NodeCheck) -> Iterator[str]:
    folder = check.probe.parent
    try:
        if check.probe.read_text(encoding="utf-8") != check.token:
            yield f"the folder {folder} is not the store of this run"
        # Written as well as read: the store may be mounted for reading alone.
        probe = check.probe.with_suffix(f".{os.getpid()}")
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield f"the store {folder} cannot be used here: {error.strerror}"


def _version_problems(check: NodeCheck) -> Iterator[str]:
    local_versions = software_versions()
    for name in sorted({*local_versions, *check.versions}):
        local, expected = local_versions.get(name), check.versions.get(name)
        if local != expected:
            yield f"{name} is {local} here and {expected} where it started"


@contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Everything that is printed meanwhile goes to `path`, which goes if nothing is."""
    sys.stdout.flush()
    sys.stderr.flush()
    path.parent.mkdir(parents=True, exist_ok=True)
    # By descriptor: libraries in C and child processes know nothing of `sys.stdout`.
    descriptors = os.dup(1), os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in enumerate(descriptors, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        if not path.stat().st_size:
            path.unlink()
