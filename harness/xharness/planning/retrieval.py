"""Which rows a retrieval task needs beside its items: the index, and what it is tuned on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from xharness.errors import UnavailableError
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.spec.study import TargetSpec
from xharness.stages import DataSlice, RetrievalData

FindSlice = Callable[[TaskCard, str, Split, int | None], DataSlice]
"""Answers with the portion and its fingerprint, or raises UnavailableError."""


@dataclass(frozen=True)
class RetrievalPlan:
    """What stands beside the items of one target; nothing where its card names no index.

    A pool is always the whole pool: neither a study's languages nor its limit make it smaller.
    """

    catalogue: Catalogue
    find_slice: FindSlice
    card: TaskCard
    target: TargetSpec

    def answerable(
        self, portions: Iterable[DataSlice]
    ) -> tuple[tuple[DataSlice, ...], dict[str, str]]:
        """Those of `portions` that can be answered, and why the others can't, by language."""
        kept, refused = [], {}
        for one in portions:
            try:
                self.data_for([one])
                kept.append(one)
            except UnavailableError as error:
                refused[one.language] = error.reason
        return tuple(kept), refused

    def data_for(self, portions: Iterable[DataSlice]) -> RetrievalData | None:
        """What is needed beside `portions`.

        Raises:
            UnavailableError: some of it cannot be had.
        """
        if self.card.index is None:
            return None
        split: Split = self.target.split or self.card.eval_split
        languages = [one.language for one in portions]
        index = self._index(languages, split)
        tuned, limit = self.card.threshold_split, self.target.limit
        if tuned is None:
            return RetrievalData(self._pooled, index)
        tuning = tuple(self.find_slice(self.card, one, tuned, limit) for one in languages)
        return RetrievalData(self._pooled, index, tuning, self._index(languages, tuned))

    @property
    def _pooled(self) -> bool:
        return self.card.index is not None and self.card.index.languages == "all"

    def _index(self, languages: Iterable[str], split: Split) -> tuple[DataSlice, ...]:
        """The candidates; an index without that split has one for all, which it calls test."""
        card = self._card
        found = []
        for language in card.languages if self._pooled else languages:
            has_split = bool(card.sources_of(language, split))
            found.append(self.find_slice(card, language, split if has_split else "test", None))
        return tuple(found)

    @cached_property
    def _card(self) -> TaskCard:
        assert self.card.index is not None
        return self.catalogue.card(self.card.index.card)
