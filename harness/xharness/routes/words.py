"""Models that answer in words: what they can do, and which wording enters a key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from xharness.cards import TaskCard
from xharness.catalogue import Catalogue, validated
from xharness.digest import digest
from xharness.extend import Backend, Objective, Wording
from xharness.kinds import Metric, kind_asked
from xharness.routes.way import CannotLearnError
from xharness.study import ModelSpec


@dataclass(frozen=True)
class Words:
    """What the plan must know of a model that answers in words; of others, that it does not."""

    catalogue: Catalogue
    model: ModelSpec

    @cached_property
    def _backend(self) -> Backend:
        return self.catalogue.backends[self.model.backend]

    @cached_property
    def _options(self) -> Any:
        own = self.model.own_options
        return validated(self._backend.options, own, f"model '{self.model.name}'")

    @cached_property
    def used(self) -> bool:
        """Whether the model answers in words, so that it needs a verbaliser and no head."""
        return isinstance(self._backend, Wording) and self._backend.in_words(self._options)

    def check(self, card: TaskCard, objective: Objective | None = None) -> None:
        """Whether the model can answer `card`, or learn it by `objective`.

        Raises:
            CannotLearnError: it cannot, with the reason.
        """
        if isinstance(self._backend, Wording):
            kind = kind_asked(self.catalogue.kinds[card.kind]).name
            why = self._backend.refusal(self._options, card, kind, objective)
            if why is not None:
                raise CannotLearnError(why)

    def said(self, card: TaskCard) -> str | None:
        """The digest of how items are put into words; None where they are not."""
        if not self.used or card.verbaliser is None:
            return None
        return digest(card.verbaliser.model_dump(mode="json", exclude_defaults=True))

    def metrics(self, card: TaskCard) -> tuple[str, ...]:
        """The card's metrics, and those that are measured wherever answers are written."""
        known = self.catalogue.kinds[card.kind].metrics
        more = [name for name, one in known.items() if _written(one) and name not in card.metrics]
        return (*card.metrics, *(more if self.used else ()))


def _written(metric: Metric) -> bool:
    return metric.written
