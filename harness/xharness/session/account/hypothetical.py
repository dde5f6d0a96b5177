"""The plan as it would be if all data and models were here: an account needs neither."""

from __future__ import annotations

import copy
from typing import Any

from xharness.data.reader import DataReader
from xharness.digests import digest
from xharness.errors import NoRowsError, UnavailableError
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.session.opened_study import OpenedStudy
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.spec.study_document import StudyDocument
from xharness.stages import DataSlice

NOT_HERE = "not here: "
"""What the fingerprint of a model begins with that would have to be fetched."""


def complete_plan(opened: OpenedStudy) -> Plan:
    """The study's plan; what is not at hand is planned as if it were, under keys of its own."""
    return (
        opened.plan
        if not opened.plan.unavailable
        else _compiled(opened, _Slices(opened.data, asks=True))
    )


def plan_without_data(opened: OpenedStudy) -> Plan:
    """The same, without asking any source: some fetch what they are asked about."""
    return _compiled(opened, _Slices(opened.data, asks=False))


def _compiled(opened: OpenedStudy, slices: _Slices) -> Plan:
    # A copy: the run itself has to hear what is not here.
    catalogue = copy.copy(opened.catalogue)
    backends: Any = _Backends(opened.catalogue.backends)
    catalogue.backends = backends
    return compile_plan(
        PlanningContext(
            opened.study,
            catalogue,
            slices.data_slice,
            opened.environment,
            StudyDocument(opened.document),
        )
    )


class _Slices:
    def __init__(self, reader: DataReader, *, asks: bool) -> None:
        self._reader, self._asks = reader, asks

    def data_slice(
        self, card: TaskCard, language: str, split: Split, limit: int | None
    ) -> DataSlice:
        is_served = any(source.serves(language, split) for source in card.sources)
        # What no source serves is told by the reader, which asks none of them for that.
        if self._asks or not is_served:
            try:
                return self._reader.data_slice(card, language, split, limit)
            # Data that is here and has no such rows: fetching more would not change that.
            except NoRowsError:
                raise
            except UnavailableError:
                if not is_served:
                    raise
        # A digest that no rows have: keys made with it are never found in a store.
        return DataSlice(card.name, language, split, limit, digest(["not here", card.name]))


class _Backends:
    def __init__(self, registry: Any) -> None:
        self._registry = registry

    def __iter__(self) -> Any:
        return iter(self._registry)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def __getitem__(self, name: str) -> Any:
        return _Backend(self._registry[name])


class _Backend:
    """A backend that never says that a model is not here."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def fingerprint(self, options: Any, environment: Any) -> str:
        try:
            fingerprint: str = self._backend.fingerprint(options, environment)
        except UnavailableError:
            return f"{NOT_HERE}{options!r}"
        return fingerprint

    def unsupported(self, options: Any, query: Any, environment: Any) -> str | None:
        try:
            reason: str | None = self._backend.unsupported(options, query, environment)
        except UnavailableError:
            return None
        return reason
