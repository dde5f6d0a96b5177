"""Which rows a retrieval task needs besides its items: the index, and what is tuned on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from xharness.errors import UnavailableError
from xharness.planning.context import PlanningContext
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.spec.study import TargetSpec
from xharness.stages import DataSlice, RetrievalData


@dataclass(frozen=True)
class RetrievalPlan:
    """The data that the items of one target are answered from; none where its card has no index.

    An index is always whole: neither a study's languages nor its limit make it smaller, since
    numbers from a smaller one compare with no published number.
    """

    context: PlanningContext
    card: TaskCard
    target: TargetSpec

    def answerable(
        self, data_slices: Iterable[DataSlice]
    ) -> tuple[tuple[DataSlice, ...], dict[str, str]]:
        """Those of `data_slices` that can be answered, and by language why the others can't."""
        answerable, reasons = [], {}
        for data_slice in data_slices:
            try:
                self.data_for([data_slice])
                answerable.append(data_slice)
            except UnavailableError as error:
                reasons[data_slice.language] = error.reason
        return tuple(answerable), reasons

    def data_for(self, data_slices: Iterable[DataSlice]) -> RetrievalData | None:
        """What answering `data_slices` reads besides them.

        Raises:
            UnavailableError: some of it cannot be had.
        """
        if self.card.index is None:
            return None
        split: Split = self.target.split or self.card.eval_split
        languages = [data_slice.language for data_slice in data_slices]
        index = self._index(languages, split)
        tuning_split, limit = self.card.threshold_split, self.target.limit
        if tuning_split is None:
            return RetrievalData(self._shared, index)
        tuning = tuple(
            self.context.data_slice(self.card, language, tuning_split, limit)
            for language in languages
        )
        return RetrievalData(self._shared, index, tuning, self._index(languages, tuning_split))

    @property
    def _shared(self) -> bool:
        """Whether all languages' candidates are one index."""
        return self.card.index is not None and self.card.index.languages == "all"

    def _index(self, languages: Iterable[str], split: Split) -> tuple[DataSlice, ...]:
        """The candidates; an index without that split has one for all, which it calls test."""
        card = self._index_card
        data_slices = []
        for language in card.languages if self._shared else languages:
            has_split = bool(card.sources_of(language, split))
            index_split = split if has_split else "test"
            data_slices.append(self.context.data_slice(card, language, index_split, None))
        return tuple(data_slices)

    @cached_property
    def _index_card(self) -> TaskCard:
        assert self.card.index is not None
        return self.context.catalogue.card(self.card.index.card)
