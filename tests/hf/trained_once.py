"""The contract of every backend, where a training that was already run is not run again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from xharness.plugin.api import Model
from xharness.testing import BackendContract

_MODELS: dict[tuple[type, str], Model] = {}


class TrainedOnce(BackendContract):
    """Each class trains once a task type: trainings are equal to the bit (test_training.py)."""

    __test__ = False

    def _trained(self, task_type: str, folder: Path, progress: Any = None) -> Model:
        # The contract's own trainings in other folders are those that it interrupts.
        if folder.name != task_type:
            return super()._trained(task_type, folder, progress)
        if (type(self), task_type) not in _MODELS:
            _MODELS[type(self), task_type] = super()._trained(task_type, folder, progress)
        return _MODELS[type(self), task_type]
