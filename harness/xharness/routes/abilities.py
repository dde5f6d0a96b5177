"""What the plan must know of a model: what it can do, and which wording enters its keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xharness.cards import TaskCard
from xharness.catalogue import Catalogue, validated
from xharness.digest import digest
from xharness.extend import (
    Backend,
    Objective,
    Recipe,
    Refusing,
    Sizes,
    Sizing,
    Surroundings,
    Wanted,
    Wording,
)
from xharness.kinds import Metric, kind_asked
from xharness.routes.way import CannotLearnError
from xharness.stages import Portion
from xharness.study import ModelSpec


@dataclass(frozen=True)
class Abilities:
    """What one model can do, and how it is asked, as its backend tells without loading it."""

    catalogue: Catalogue
    model: ModelSpec
    surroundings: Surroundings

    @cached_property
    def _backend(self) -> Backend:
        return self.catalogue.backends[self.model.backend]

    @cached_property
    def _options(self) -> Any:
        own = self.model.own_options
        return validated(self._backend.options, own, f"model '{self.model.name}'")

    @cached_property
    def in_words(self) -> bool:
        """Whether the model answers in words, so that it needs a verbaliser and no head."""
        return isinstance(self._backend, Wording) and self._backend.in_words(self._options)

    def check(
        self,
        card: TaskCard,
        objective: Objective | None = None,
        recipe: Recipe | None = None,
        portions: Iterable[Portion] = (),
    ) -> None:
        """Whether the model can answer `card`, or learn it by `objective`, as far as it is said.

        Raises:
            CannotLearnError: it cannot, with the reason.
            UnavailableError: what should tell cannot be had.
        """
        if isinstance(self._backend, Refusing):
            kind = kind_asked(self.catalogue.kinds[card.kind]).name
            languages = tuple(dict.fromkeys(one.asked_in for one in portions))
            wanted = Wanted(card, kind, objective, recipe, languages)
            why = self._backend.refusal(self._options, wanted, self.surroundings)
            if why is not None:
                raise CannotLearnError(why)

    def sizes(self) -> Sizes | None:
        """How large the model is, where its backend knows before it is loaded.

        Raises:
            UnavailableError: what should tell cannot be had, or cannot be read.
        """
        if not isinstance(self._backend, Sizing):
            return None
        return self._backend.sizes(self._options, self.surroundings)

    def said(self, card: TaskCard) -> str | None:
        """The digest of how items are put into words; None where they are not."""
        if not self.in_words or card.verbaliser is None:
            return None
        return digest(card.verbaliser.model_dump(mode="json", exclude_defaults=True))

    def metrics(self, card: TaskCard) -> tuple[str, ...]:
        """The card's metrics, and those that are measured wherever answers are written."""
        known = self.catalogue.kinds[card.kind].metrics
        more = [name for name, one in known.items() if _written(one) and name not in card.metrics]
        return (*card.metrics, *(more if self.in_words else ()))


def _written(metric: Metric) -> bool:
    return metric.written
