"""Progress as bars: one over all stages, one for each stage at work, with rate and time left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from xharness.console.run_clock import RunClock
from xharness.console.times import duration, rate
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage
from xharness.stages.label import StageLabel


class _Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(rate(speed) if speed else "", style="progress.data.speed")


class _Count(MofNCompleteColumn):
    """Steps or items of a stage, and stages of the run: its own bar is in seconds."""

    def render(self, task: Task) -> Text:
        stages = task.fields.get("stages")
        return Text(stages, style="progress.download") if stages else super().render(task)


class _TimeLeft(TimeRemainingColumn):
    """Of a stage by its rate, of the run by what its stages are expected to take."""

    def render(self, task: Task) -> Text:
        clock = task.fields.get("clock")
        if clock is None:
            return super().render(task)
        return Text(f"{duration(clock.seconds_left)} left", style="progress.remaining")


class Bars:
    """Draws on standard error."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._progress = Progress(
            # Labels hold brackets, which rich would take for markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            _Count(),
            TextColumn("{task.fields[unit]}", markup=False),
            _Rate(),
            TimeElapsedColumn(),
            _TimeLeft(compact=True),
            console=Console(stderr=True),
            # Off the screen at the end: the tables that follow are what stays.
            transient=True,
        )
        self._progress.start()
        self._all_stages = self._progress.add_task("stages", total=None, unit="")
        self._stage_bars: dict[str, TaskID] = {}
        self._awaited: set[str] = set()
        self._clock = RunClock({}, time.monotonic)
        self._stage_count = ""

    @hookimpl
    def xharness_run_started(self, expected_seconds: Mapping[str, float]) -> None:
        self._clock = RunClock(expected_seconds, time.monotonic)
        self._progress.update(self._all_stages, total=self._clock.total, clock=self._clock)

    @hookimpl
    def xharness_stage_started(
        self, stage: Stage, label: StageLabel, position: tuple[int, int]
    ) -> None:
        number, count = position
        # Stages before this one have ended, but for those whose bars still stand.
        ended = number - 1 - len(self._stage_bars)
        self._stage_count = f"{ended}/{count}"
        self._show_whole()
        self._stage_bars[stage.key] = self._progress.add_task(str(label), total=None, unit="")

    @hookimpl
    def xharness_stage_progress(
        self, stage: Stage, completed: int, total: int | None, unit: str
    ) -> None:
        if stage.key in self._stage_bars:
            bar = self._stage_bars[stage.key]
            self._progress.update(bar, completed=completed, total=total, unit=unit)
            if total:
                self._clock.progress(stage.key, completed / total)
                self._show_whole()

    @hookimpl
    def xharness_stage_waiting(self, stage: Stage, label: StageLabel) -> None:
        self._remove(stage)
        if stage.key not in self._awaited:
            self._awaited.add(stage.key)
            self._print(f"another process works on {label}")

    @hookimpl
    def xharness_stage_finished(
        self, stage: Stage, label: StageLabel, outcome: str, receipt: Mapping[str, Any] | None
    ) -> None:
        took = self._remove(stage)
        if self._verbose or outcome == "failed":
            self._print(f"{outcome:7} {label}  ({duration(took)})")
        self._clock.finish(stage.key, outcome)
        self._show_whole()

    @hookimpl
    def xharness_run_message(self, message: str) -> None:
        self._print(message)

    def _show_whole(self) -> None:
        self._progress.update(
            self._all_stages, completed=self._clock.completed, stages=self._stage_count
        )

    def _remove(self, stage: Stage) -> float:
        """Take the stage's bar away; the seconds it stood."""
        bar = self._stage_bars.pop(stage.key, None)
        if bar is None:
            return 0.0
        elapsed = next(task.elapsed for task in self._progress.tasks if task.id == bar)
        self._progress.remove_task(bar)
        return elapsed or 0.0

    def _print(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Take the bars off the screen."""
        self._progress.stop()
