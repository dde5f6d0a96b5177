"""The trackers this package offers."""

from __future__ import annotations

from collections.abc import Iterable

from xharness import Tracker, hookimpl
from xharness_trackers.mlflow import MLflow
from xharness_trackers.tensorboard import TensorBoard
from xharness_trackers.wandb import WeightsAndBiases


@hookimpl
def xharness_trackers() -> Iterable[Tracker]:
    return (TensorBoard(), MLflow(), WeightsAndBiases())
