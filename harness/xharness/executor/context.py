"""What carrying out a plan takes, and the one model that is kept loaded between stages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xharness.data.reader import DataReader
from xharness.plugin.api import Backend, Checkpoint, Model, Progress, RunEnvironment, Start, Train
from xharness.plugin.api.backend import LogMetrics
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.study import Runtime
from xharness.stages import SelectModel, Stage
from xharness.store import MODEL, Store


@dataclass
class RunContext:
    """The catalogue, the data, the store and the environment of one run."""

    catalogue: Catalogue
    data: DataReader
    store: Store
    environment: RunEnvironment
    runtime: Runtime
    debug: bool = False
    executor_options: Any = None
    """The executor's own, as its class of options has read them."""
    # One model alone: two would not fit on many devices, and stages ask in the plan's order.
    _loaded: tuple[str, Model] | None = field(default=None, repr=False)

    def backend(self, checkpoint: Checkpoint) -> Backend:
        """The backend that made the checkpoint."""
        return self.catalogue.backends[checkpoint.origin.backend]

    def resolved(self, checkpoint: Checkpoint) -> Start | Train:
        """The checkpoint that has the weights: of several candidates, the one that was chosen."""
        if isinstance(checkpoint, Start | Train):
            return checkpoint
        assert isinstance(checkpoint, SelectModel)
        key = self.store.receipt(checkpoint.key).facts["chosen"]
        return next(candidate for candidate in checkpoint.candidates if candidate.key == key)

    def training_counts(self, checkpoint: Checkpoint) -> Sequence[Mapping[str, Any]]:
        """The counts of all data that a checkpoint was trained on."""
        if isinstance(checkpoint, Start):
            return ()
        data: Sequence[Mapping[str, Any]] = self.store.receipt(checkpoint.key).facts["data"]
        return data

    def model(self, checkpoint: Checkpoint) -> Model:
        """The model of a checkpoint, loaded unless it is the one that is kept."""
        checkpoint = self.resolved(checkpoint)
        if self._loaded is None or self._loaded[0] != checkpoint.key:
            self._loaded = None  # frees the memory before the next one is loaded
            self._loaded = (checkpoint.key, self._load(checkpoint))
        return self._loaded[1]

    def take(self, checkpoint: Checkpoint) -> Model:
        """The model of a checkpoint, for the caller to change: it is no longer kept."""
        # Training changes the weights in place: kept under the old key they would answer for it.
        model = self.model(checkpoint)
        self._loaded = None
        return model

    def keep(self, checkpoint: Checkpoint, model: Model) -> None:
        """Keep a model that was just trained: the next stage most likely asks for it."""
        self._loaded = (checkpoint.key, model)

    def progress(self, stage: Stage, unit: str) -> Progress:
        """Tells the observers how many items, steps, ... (the `unit`) of a stage are through."""
        hook: Callable[..., Any] = self.catalogue.plugins.manager.hook.xharness_stage_progress

        def report(count: int, total: int | None) -> None:
            hook(stage=stage, completed=count, total=total, unit=unit)

        return report

    def log_metrics(self, stage: Stage) -> LogMetrics:
        """Tells the observers what was measured at a step of a training."""
        hook: Callable[..., Any] = self.catalogue.plugins.manager.hook.xharness_stage_metrics

        def report(step: int, metrics: Mapping[str, float]) -> None:
            hook(stage=stage, step=step, metrics=metrics)

        return report

    def _load(self, checkpoint: Start | Train) -> Model:
        backend = self.backend(checkpoint)
        if isinstance(checkpoint, Train):
            return backend.load(self.store.open(checkpoint.key) / MODEL, self.runtime.device)
        options = validated(backend.options, json.loads(checkpoint.options), "the stored model")
        return backend.start(options, self.environment, self.runtime.device)


@dataclass
class ProgressCounter:
    """Counts the items that are through, and tells the observers."""

    progress: Progress
    total: int | None
    count: int = 0

    def add(self, count: int) -> None:
        """So many more are through."""
        self.count += count
        self.progress(self.count, self.total)
