"""What planning must know of a model: what it can do, and which prompt enters its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from xharness.digests import digest
from xharness.errors import (
    BackendError,
    UnavailableError,
    UnsupportedError,
)
from xharness.planning.memo import Memo
from xharness.plugin.api import (
    Backend,
    CapabilityQuery,
    Objective,
    Recipe,
    RunEnvironment,
    Sizes,
)
from xharness.plugin.asking import Answer, ask
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.cards import TaskCard
from xharness.spec.models import ModelSpec
from xharness.stages import DataSlice


@dataclass(frozen=True)
class Capabilities:
    """What one model can do, and how it is prompted, as its backend tells without loading it."""

    catalogue: Catalogue
    model: ModelSpec
    environment: RunEnvironment
    _reasons: Memo[str | None] = field(default_factory=Memo, init=False, repr=False, compare=False)

    _languages: dict[tuple[str, tuple[str, ...]], dict[str, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def _backend(self) -> Backend:
        return self.catalogue.backends[self.model.backend]

    @cached_property
    def _options(self) -> Any:
        owner = f"model '{self.model.name}'"
        return validated(self._backend.options, self.model.backend_options, owner)

    @cached_property
    def generates(self) -> bool:
        """Whether the model writes its answers, so that it needs a verbalizer and no head."""
        return self._backend.generates(self._options)

    def check_task_type(self, card: TaskCard) -> None:
        """Whether the backend has anything for the type of the card's task.

        Raises:
            UnsupportedError: it has not.
        """
        if self._model_task_type(card) not in self._backend.task_types:
            raise UnsupportedError(
                f"backend '{self._backend.name}' cannot answer tasks of type '{card.task_type}'"
            )

    def check(
        self,
        card: TaskCard,
        objective: Objective | None = None,
        recipe: Recipe | None = None,
        data_slices: Iterable[DataSlice] = (),
    ) -> None:
        """Whether the model can answer `card`, or learn it by `objective`, as its backend knows.

        Raises:
            UnsupportedError: it cannot, with the reason.
            UnavailableError: what should tell cannot be had.
        """
        languages = tuple(dict.fromkeys(data_slice.text_language for data_slice in data_slices))
        # Arms that differ in their seed alone ask the same, and there may be thousands of them.
        reason = self._reasons.get(
            (card.name, objective, recipe, languages),
            lambda: self._reason(card, objective, recipe, languages),
        )
        if reason is not None:
            raise UnsupportedError(reason)

    def unanswered_languages(self, card: TaskCard, languages: tuple[str, ...]) -> dict[str, str]:
        """In which of `languages` the model cannot answer `card`, and why.

        Raises:
            UnavailableError: what should tell cannot be had.
        """
        key = (card.name, languages)
        if key not in self._languages:
            reasons = {code: self._reason(card, None, None, (code,)) for code in languages}
            self._languages[key] = {code: text for code, text in reasons.items() if text}
        return self._languages[key]

    def _reason(
        self,
        card: TaskCard,
        objective: Objective | None,
        recipe: Recipe | None,
        languages: tuple[str, ...],
    ) -> str | None:
        query = CapabilityQuery(card, self._model_task_type(card), objective, recipe, languages)
        return self._ask(lambda: self._backend.unsupported(self._options, query, self.environment))

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        # Else the strategy that asks would be blamed.
        return ask(f"backend '{self._backend.name}'", question, f"model '{self.model.name}'")

    def sizes(self) -> Sizes | None:
        """How large the model is, where its backend knows before it is loaded.

        Raises:
            UnavailableError: what should tell cannot be had, or cannot be read.
        """
        try:
            return self._ask(lambda: self._backend.sizes(self._options, self.environment))
        except BackendError as error:
            raise UnavailableError(f"backend '{self._backend.name}': {error.reason}") from None

    def prompt_digest(self, card: TaskCard) -> str | None:
        """The digest of the card's prompts; None for a model that is not prompted."""
        if not self.generates or card.verbalizer is None:
            return None
        # Without defaults, so that a field that verbalizers get later changes no key.
        return digest(card.verbalizer.model_dump(mode="json", exclude_defaults=True))

    def metrics(self, card: TaskCard) -> tuple[str, ...]:
        """The card's metrics, and those that are measured wherever answers are written."""
        metrics = self.catalogue.task_types[card.task_type].metrics
        generated_only = [
            name
            for name, metric in metrics.items()
            if metric.generated_only and name not in card.metrics
        ]
        return (*card.metrics, *(generated_only if self.generates else ()))

    def _model_task_type(self, card: TaskCard) -> str:
        """The type of what the model is handed: of the parts, where items are made of parts."""
        return self.catalogue.task_types[card.task_type].predicted.name
