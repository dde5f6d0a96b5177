"""Progress as bars: one over all stages, one for the stage at work, with rate and time left."""

from __future__ import annotations

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

from xharness.console.times import duration, rate
from xharness.plugin.hookspecs import hookimpl
from xharness.stages import Stage
from xharness.stages.label import StageLabel


class _Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(rate(speed) if speed else "", style="progress.data.speed")


class Bars:
    """Draws on standard error."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._progress = Progress(
            # Labels hold brackets, which rich would take for markup.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
            transient=True,
        )
        self._progress.start()
        self._all_stages = self._progress.add_task("stages", total=None, unit="")
        self._current_stage: TaskID | None = None

    @hookimpl
    def xharness_stage_started(
        self, stage: Stage, label: StageLabel, position: tuple[int, int]
    ) -> None:
        number, count = position
        self._progress.update(self._all_stages, completed=number - 1, total=count)
        self._current_stage = self._progress.add_task(str(label), total=None, unit="")

    @hookimpl
    def xharness_stage_progress(
        self, stage: Stage, completed: int, total: int | None, unit: str
    ) -> None:
        if self._current_stage is not None:
            self._progress.update(self._current_stage, completed=completed, total=total, unit=unit)

    @hookimpl
    def xharness_stage_waiting(self, stage: Stage, label: StageLabel) -> None:
        message = f"waiting for another process that works on {label}"
        self._progress.console.print(message, markup=False, highlight=False)

    @hookimpl
    def xharness_stage_finished(
        self, stage: Stage, label: StageLabel, outcome: str, receipt: Mapping[str, Any] | None
    ) -> None:
        if self._current_stage is not None:
            # Asked before the bar goes, since it keeps the time.
            took = self._progress.tasks[-1].elapsed or 0.0
            self._progress.remove_task(self._current_stage)
            self._current_stage = None
            if self._verbose or outcome == "failed":
                self._progress.console.print(
                    f"{outcome:7} {label}  ({duration(took)})", markup=False, highlight=False
                )
        self._progress.advance(self._all_stages)

    def close(self) -> None:
        """Take the bars off the screen."""
        self._progress.stop()
