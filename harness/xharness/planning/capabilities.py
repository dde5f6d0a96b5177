"""What the plan must know of a model: what it can do, and which wording enters its keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xharness.digests import digest
from xharness.planning.context import UnsupportedError
from xharness.plugin.api import (
    Backend,
    CapabilityQuery,
    Objective,
    Recipe,
    RunEnvironment,
    Sizes,
)
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.cards import TaskCard
from xharness.spec.models import ModelSpec
from xharness.stages import DataSlice


@dataclass(frozen=True)
class Capabilities:
    """What one model can do, and how it is asked, as its backend tells without loading it."""

    catalogue: Catalogue
    model: ModelSpec
    environment: RunEnvironment

    @cached_property
    def _backend(self) -> Backend:
        return self.catalogue.backends[self.model.backend]

    @cached_property
    def _options(self) -> Any:
        own = self.model.backend_options
        return validated(self._backend.options, own, f"model '{self.model.name}'")

    @cached_property
    def generates(self) -> bool:
        """Whether the model answers in words, so that it needs a verbalizer and no head."""
        return self._backend.generates(self._options)

    def check(
        self,
        card: TaskCard,
        objective: Objective | None = None,
        recipe: Recipe | None = None,
        data_slices: Iterable[DataSlice] = (),
    ) -> None:
        """Whether the model can answer `card`, or learn it by `objective`, as far as it is said.

        Raises:
            UnsupportedError: it cannot, with the reason.
            UnavailableError: what should tell cannot be had.
        """
        predicted = self.catalogue.task_types[card.task_type].predicted.name
        languages = tuple(dict.fromkeys(data_slice.text_language for data_slice in data_slices))
        query = CapabilityQuery(card, predicted, objective, recipe, languages)
        reason = self._backend.unsupported(self._options, query, self.environment)
        if reason is not None:
            raise UnsupportedError(reason)

    def sizes(self) -> Sizes | None:
        """How large the model is, where its backend knows before it is loaded.

        Raises:
            UnavailableError: what should tell cannot be had, or cannot be read.
        """
        return self._backend.sizes(self._options, self.environment)

    def prompt_digest(self, card: TaskCard) -> str | None:
        """The digest of how items are put into words; None where they are not."""
        if not self.generates or card.verbalizer is None:
            return None
        return digest(card.verbalizer.model_dump(mode="json", exclude_defaults=True))

    def metrics(self, card: TaskCard) -> tuple[str, ...]:
        """The card's metrics, and those that are measured wherever answers are written."""
        known = self.catalogue.task_types[card.task_type].metrics
        generated = [
            name
            for name, metric in known.items()
            if metric.generated_only and name not in card.metrics
        ]
        return (*card.metrics, *(generated if self.generates else ()))
