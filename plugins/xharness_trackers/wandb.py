"""Weights & Biases: its server, or with WANDB_MODE=offline files that `wandb sync` sends later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xharness import Observer, TrackedRun, Tracker, UnavailableError
from xharness_trackers.series import Series, SeriesObserver, missing_package, prepared

if TYPE_CHECKING:
    from wandb import Run


class WeightsAndBiases(Tracker):
    """A run for each training and for each arm, those of a study in one group.

    WANDB_PROJECT and WANDB_ENTITY say where; the project is `xharness` unless one is named.
    """

    name = "wandb"

    def observe(self, run: TrackedRun) -> Observer:
        try:
            import wandb
        except ImportError:
            raise missing_package("wandb", "wandb") from None
        online = not run.offline and os.environ.get("WANDB_MODE", "online") == "online"
        # Without `prompt=False` it would ask on the terminal, and wait for an answer all night.
        if online and not wandb.login(prompt=False, verify=False):
            raise UnavailableError(
                "Weights & Biases wants a key in WANDB_API_KEY",
                hint="or WANDB_MODE=offline, which writes files for 'wandb sync'",
            )
        return _WandbObserver(run)


class _WandbObserver(SeriesObserver):
    def __init__(self, run: TrackedRun) -> None:
        super().__init__()
        self._run = run
        self.series("study", run.parameters).close()

    def series(self, name: str, parameters: Mapping[str, Any]) -> Series:
        import wandb

        return _WandbRun(
            wandb.init(
                project=os.environ.get("WANDB_PROJECT", "xharness"),
                group=self._run.name,
                name=name,
                config=dict(parameters),
                dir=str(prepared(self._run.folder)),
                reinit="create_new",  # trainings may go on side by side
                mode="offline" if self._run.offline else None,  # None: as WANDB_MODE says
                settings=wandb.Settings(silent=True, console="off"),
            )
        )


class _WandbRun(Series):
    def __init__(self, run: Run) -> None:
        self._run = run

    def log(self, step: int | None, metrics: Mapping[str, float]) -> None:
        if step is None:
            self._run.summary.update(dict(metrics))
        else:
            self._run.log(dict(metrics), step=step)

    def close(self) -> None:
        self._run.finish()
