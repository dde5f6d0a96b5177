"""Progress as plain lines, for logs: one at the end of each stage, and now and then within."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from xharness.console.times import duration, rate
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage
from xharness.stages.label import StageLabel

SECONDS_BETWEEN_LINES = 20.0  # within a stage


class Lines:
    """Prints to `file`; `clock` tells seconds."""

    def __init__(
        self, file: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._file, self._clock = file if file is not None else sys.stderr, clock
        self._label, self._position = "", (0, 0)
        self._started = self._last_printed = clock()
        self._first_progress: tuple[float, int] | None = None

    @hookimpl
    def xharness_stage_started(
        self, stage: Stage, label: StageLabel, position: tuple[int, int]
    ) -> None:
        self._label, self._position = str(label), position
        self._started = self._last_printed = self._clock()
        self._first_progress = None

    @hookimpl
    def xharness_stage_progress(
        self, stage: Stage, completed: int, total: int | None, unit: str
    ) -> None:
        now = self._clock()
        if (
            self._first_progress is None
        ):  # what an earlier attempt had done says nothing of the speed
            self._first_progress = (now, completed)
        first_time, first_count = self._first_progress
        if now - self._last_printed < SECONDS_BETWEEN_LINES or completed <= first_count:
            return
        self._last_printed = now
        # Over all of this attempt: a mean over the last lines would jump with every slow item.
        speed = (completed - first_count) / (now - first_time)
        count = f"{completed} {unit}" if total is None else f"{completed} of {total} {unit}"
        remaining_time = f", {duration((total - completed) / speed)} left" if total else ""
        self._print(f"{self._label}: {count}, {rate(speed)}{remaining_time}")

    @hookimpl
    def xharness_stage_waiting(self, stage: Stage, label: StageLabel) -> None:
        self._print(f"waiting for another process that works on {label}")

    @hookimpl
    def xharness_stage_finished(
        self, stage: Stage, label: StageLabel, outcome: str, receipt: Mapping[str, Any] | None
    ) -> None:
        self._print(f"{outcome:7} {label}  ({duration(self._clock() - self._started)})")

    def close(self) -> None:
        """Nothing is held open."""

    def _print(self, text: str) -> None:
        number, count = self._position
        print(f"[{number}/{count}] {text}", file=self._file, flush=True)
