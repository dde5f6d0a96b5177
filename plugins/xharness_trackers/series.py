"""What all trackers have in common: a run of their own for each training and for each arm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xharness import Board, Observer, Stage, Train, UnavailableError, hookimpl


class Series(ABC):
    """One run in the tool: a training with its curve, or an arm with its results."""

    @abstractmethod
    def log(self, step: int | None, metrics: Mapping[str, float]) -> None:
        """Add metrics; `step` is None for results, which have no time."""

    @abstractmethod
    def close(self) -> None:
        """No more comes: write what is still held back."""


class SeriesObserver(Observer, ABC):
    """Turns the hooks of a run into series."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        self._trainings: dict[str, Series] = {}

    @abstractmethod
    def series(self, name: str, parameters: Mapping[str, Any]) -> Series:
        """A new series of that name."""

    @hookimpl
    def xharness_stage_started(self, stage: Stage, label: object) -> None:
        self._labels[stage.key] = str(label)

    @hookimpl
    def xharness_stage_metrics(self, stage: Stage, step: int, metrics: Mapping[str, float]) -> None:
        if stage.key not in self._trainings:
            label = self._labels.get(stage.key, stage.key[:12])
            self._trainings[stage.key] = self.series(label, _training_parameters(stage))
        train_metrics = {f"train/{name}": value for name, value in metrics.items()}
        self._trainings[stage.key].log(step, train_metrics)

    @hookimpl
    def xharness_stage_finished(self, stage: Stage) -> None:
        if stage.key in self._trainings:
            self._trainings.pop(stage.key).close()

    @hookimpl
    def xharness_run_finished(self, board: Board) -> None:
        for (model, strategy), metrics in arm_metrics(board).items():
            arm = self.series(f"{model} {strategy}", {"model": model, "strategy": strategy})
            arm.log(None, metrics)
            arm.close()

    def close(self) -> None:
        while self._trainings:
            self._trainings.popitem()[1].close()


def arm_metrics(board: Board) -> dict[tuple[str, str], dict[str, float]]:
    """Each arm's measured numbers in points: `score/TASK/METRIC/LANGUAGE`, the mean over its seeds,
    and `source/TASK`, `others/TASK`, `gap/TASK` where they are defined."""
    values: dict[tuple[str, str], dict[str, list[float]]] = {}
    for score in board.scores:
        # A published number is no result of this run.
        if score.provenance == "measured":
            name = f"score/{score.task}/{score.metric}/{score.language}"
            arm = values.setdefault((score.model, score.strategy), {})
            arm.setdefault(name, []).append(score.value)
    for gap in board.gaps.tasks:
        estimates = {"source": gap.source, "others": gap.others, "gap": gap.gap}
        for quantity, estimate in estimates.items():
            if estimate is not None and gap.arm in values:
                values[gap.arm][f"{quantity}/{gap.task}"] = [estimate.value]
    return {
        arm: {name: sum(seeds) / len(seeds) for name, seeds in metrics.items()}
        for arm, metrics in values.items()
    }


def flat(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested parameters as one level of texts: `recipe.epochs` to "3"."""
    texts: dict[str, str] = {}
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            texts |= flat(value, f"{prefix}{name}.")
        else:
            texts[f"{prefix}{name}"] = str(value)
    return texts


def file_name(name: str) -> str:
    """`name` as that of a file or folder anywhere."""
    return "".join(letter if letter.isalnum() or letter in "-_.+" else "-" for letter in name)


def prepared(folder: Path) -> Path:
    """The folder, made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def missing_package(package: str, extra: str) -> UnavailableError:
    """The error for a package that is not installed."""
    return UnavailableError(
        f"the package '{package}' is not installed",
        hint=f'pip install "xharness-eval[{extra}]"',
    )


def _training_parameters(stage: Stage) -> dict[str, Any]:
    if not isinstance(stage, Train):
        return {"stage": stage.key}
    return {"stage": stage.key, "seed": stage.seed, **stage.recipe.model_dump(mode="json")}
