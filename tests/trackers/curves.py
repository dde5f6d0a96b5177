"""A plugin for tests: a backend with a loss to show, and trackers that fail early and late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xharness import (
    Backend,
    Example,
    Model,
    Observer,
    Prediction,
    Recipe,
    RunEnvironment,
    Sizes,
    Stage,
    TaskCard,
    TaskType,
    TrackedRun,
    Tracker,
    TrainingSession,
    TrainingSet,
    UnavailableError,
    hookimpl,
)

LOSSES = (0.75, 0.5, 0.25)


class CurveModel(Model):
    """Answers 0; its training has the losses above."""

    def sizes(self) -> Sizes:
        return Sizes(1, 0)

    def fit(
        self, feeds: Sequence[TrainingSet], recipe: Recipe, session: TrainingSession
    ) -> Mapping[str, Any]:
        for step, loss in enumerate(LOSSES, 1):
            session.log_metrics(step, {"loss": loss, "learning_rate": recipe.learning_rate})
        return {"loss": LOSSES[-1]}

    def predict(
        self, card: TaskCard, task_type: TaskType, examples: Sequence[Example], recipe: Recipe
    ) -> Sequence[Prediction]:
        return [0] * len(examples)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True)


class CurveBackend(Backend):
    name = "curve"
    task_types = frozenset({"classification"})

    def fingerprint(self, options: Any, environment: RunEnvironment) -> str:
        return "curve"

    def start(self, options: Any, environment: RunEnvironment, device: str | None) -> CurveModel:
        return CurveModel()

    def load(self, folder: Path, device: str | None) -> CurveModel:
        return CurveModel()


class _FailingObserver(Observer):
    @hookimpl
    def xharness_stage_finished(self, stage: Stage) -> None:
        raise ConnectionError("the server is gone")

    @hookimpl
    def xharness_run_finished(self) -> None:
        raise AssertionError("it was left out before")

    def close(self) -> None:
        raise ConnectionError("the server is still gone")


class FailsLater(Tracker):
    name = "fails-later"

    def observe(self, run: TrackedRun) -> Observer:
        return _FailingObserver()


class FailsAtOnce(Tracker):
    name = "fails-at-once"

    def observe(self, run: TrackedRun) -> Observer:
        raise UnavailableError("it wants a key", hint="set THE_KEY")


@hookimpl
def xharness_backends() -> Iterable[Backend]:
    return [CurveBackend()]


@hookimpl
def xharness_trackers() -> Iterable[Tracker]:
    return [FailsLater(), FailsAtOnce()]
