"""Progress as plain lines, for logs: one at the end of each stage, and now and then within."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from xharness.console.run_clock import RunClock
from xharness.console.times import duration, rate
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage
from xharness.stages.label import StageLabel

SECONDS_BETWEEN_LINES = 20.0  # within a stage


@dataclass
class _RunningStage:
    """A stage at work; times are the clock's, in seconds."""

    label: str
    position: tuple[int, int]
    started: float
    last_printed: float
    first_progress: tuple[float, int] | None = None
    """When it was first heard of, and what an earlier attempt had done by then."""


class Lines:
    """Prints to `file`; `clock` tells seconds."""

    def __init__(
        self, file: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._clock = file if file is not None else sys.stderr, clock
        self._running: dict[str, _RunningStage] = {}
        self._position = (0, 0)
        self._awaited: set[str] = set()
        self._run_clock = RunClock({}, self._clock)

    @hookimpl
    def xharness_run_started(self, expected_seconds: Mapping[str, float]) -> None:
        self._run_clock = RunClock(expected_seconds, self._clock)

    @hookimpl
    def xharness_stage_started(
        self, stage: Stage, label: StageLabel, position: tuple[int, int]
    ) -> None:
        now = self._clock()
        self._position = position
        self._running[stage.key] = _RunningStage(str(label), position, now, now)

    @hookimpl
    def xharness_stage_progress(
        self, stage: Stage, completed: int, total: int | None, unit: str
    ) -> None:
        running, now = self._running.get(stage.key), self._clock()
        if running is None:
            return
        if total:
            self._run_clock.progress(stage.key, completed / total)
        if running.first_progress is None:
            running.first_progress = (now, completed)
        first_time, first_count = running.first_progress
        if now - running.last_printed < SECONDS_BETWEEN_LINES or completed <= first_count:
            return
        running.last_printed = now
        # Over all of this attempt: a mean over the last lines would jump with every slow item.
        speed = (completed - first_count) / (now - first_time)
        count = f"{completed} {unit}" if total is None else f"{completed} of {total} {unit}"
        remaining_time = f", {duration((total - completed) / speed)} left" if total else ""
        text = f"{running.label}: {count}, {rate(speed)}{remaining_time}"
        self._print(text, running.position)

    @hookimpl
    def xharness_stage_waiting(self, stage: Stage, label: StageLabel) -> None:
        running = self._running.pop(stage.key, None)
        if stage.key not in self._awaited:
            self._awaited.add(stage.key)
            position = running.position if running else self._position
            self._print(f"another process works on {label}", position)

    @hookimpl
    def xharness_stage_finished(
        self, stage: Stage, label: StageLabel, outcome: str, receipt: Mapping[str, Any] | None
    ) -> None:
        running = self._running.pop(stage.key, None)
        took = f"  ({duration(self._clock() - running.started)})" if running else ""
        self._run_clock.finish(stage.key, outcome)
        time_left = self._run_clock.seconds_left
        # A run of seconds is over before anybody has read how long it will be.
        took += f"; {duration(time_left)} left of all" if time_left >= 60 else ""
        position = running.position if running else self._position
        self._print(f"{outcome:7} {label}{took}", position)

    @hookimpl
    def xharness_run_message(self, message: str) -> None:
        print(message, file=self._file, flush=True)

    def close(self) -> None:
        """Nothing is held open."""

    def _print(self, text: str, position: tuple[int, int]) -> None:
        number, count = position
        print(f"[{number}/{count}] {text}", file=self._file, flush=True)
