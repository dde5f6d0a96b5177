"""What was published about a task: recipes to start from, results to compare with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from xharness.spec.fields import Strict
from xharness.spec.languages import LanguageCode

Size = Literal["base", "large"]
"""The two columns of published hyperparameters: as for mBERT, or as for XLM-R large."""


class PublishedRecipe(Strict):
    """How a published study trained on, or read, this task; recipe fields as in a study."""

    source: str = Field(description="the script or paper, with its commit or section")
    base: dict[str, Any] = Field(default={}, description="recipe fields, for models of any size")
    large: dict[str, Any] = Field(default={}, description="what differs for models of size large")

    def fields(self, size: Size) -> dict[str, Any]:
        """The recipe fields for a model of that size."""
        return {**self.base, **(self.large if size == "large" else {})}


class PublishedResult(Strict):
    """A published result on this task, in points; what a reader compares a new number with."""

    model: str
    metric: str = Field(description="the metric as this harness calls it")
    score: float | None = Field(
        default=None, ge=0, le=100, description="the published mean over the languages"
    )
    scores: dict[LanguageCode, float] = Field(default={}, description="language by language")
    source: str = Field(description="where it is published")
    note: str | None = Field(default=None, description="what makes it hard to compare")
