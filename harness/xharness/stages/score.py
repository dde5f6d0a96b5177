"""The stage that scores predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xharness.stages.predict import Predict
from xharness.stages.stage import Stage


@dataclass(frozen=True)
class Score(Stage):
    """Score stored predictions; no model is needed for it."""

    name: ClassVar[str] = "score"
    version: ClassVar[int] = 2

    predictions: Predict
    metrics: tuple[str, ...]

    @property
    def needs(self) -> tuple[Stage, ...]:
        return (self.predictions,)

    @property
    def inputs(self) -> Mapping[str, Any]:
        return {"predictions": self.predictions.key, "metrics": list(self.metrics)}
