"""The stage that answers a task with one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from xharness.spec.recipe import Recipe
from xharness.stages.checkpoint import Checkpoint
from xharness.stages.retrieval_data import RetrievalData
from xharness.stages.stage import Stage
from xharness.stages.translate import DataSlice, identities, translations


@dataclass(frozen=True)
class Predict(Stage):
    """Answer one task in every language with one model."""

    name: ClassVar[str] = "predict"

    model: Checkpoint
    card: str
    data_slices: tuple[DataSlice, ...]
    recipe: Recipe
    retrieval: RetrievalData | None = None
    """Where the items are answered from an index."""
    prompt_digest: str | None = None
    """How items are put into words, for a model that answers in words."""

    @property
    def all_data_slices(self) -> tuple[DataSlice, ...]:
        """Everything that must be read."""
        return (*self.data_slices, *(self.retrieval.data_slices if self.retrieval else ()))

    @property
    def needs(self) -> tuple[Stage, ...]:
        return (*self.model.stages, *translations(self.data_slices))

    @property
    def inputs(self) -> Mapping[str, Any]:
        return {
            "model": self.model.key,
            "data_slices": identities(self.data_slices),
            "recipe": self.recipe.answer_meaning(),
            # Absent where there is none: a key names nothing that plays no part.
            **({"retrieval": self.retrieval.identity} if self.retrieval else {}),
            **({"prompt": self.prompt_digest} if self.prompt_digest else {}),
        }
