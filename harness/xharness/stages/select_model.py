"""The stage that names the best of several trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xharness.stages.checkpoint import Checkpoint, Start
from xharness.stages.stage import Stage
from xharness.stages.train import Train
from xharness.stages.translate import DataSlice, identities


@dataclass(frozen=True)
class SelectModel(Stage, Checkpoint):
    """The one of several trainings that does best on `dev`: models that differ in their recipe."""

    name: ClassVar[str] = "select_model"

    candidates: tuple[Train, ...]
    dev: tuple[DataSlice, ...]
    metrics: tuple[tuple[str, str], ...]
    """Each card of `dev`, and the metric that judges its answers."""

    @property
    def needs(self) -> tuple[Stage, ...]:
        return self.candidates

    @property
    def origin(self) -> Start:
        return self.candidates[0].origin

    @property
    def stages(self) -> tuple[Stage, ...]:
        # Its own folder holds a name alone: the weights are in that of a candidate.
        return (*self.candidates, self)

    @property
    def inputs(self) -> Mapping[str, Any]:
        return {
            "candidates": [candidate.key for candidate in self.candidates],
            # A training's key leaves out what only answering reads; here dev data is answered.
            "recipes": [candidate.recipe.answer_meaning() for candidate in self.candidates],
            "dev": identities(self.dev),
            "metrics": [metric for _, metric in self.metrics],
        }
