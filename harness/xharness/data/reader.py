"""Rows become examples: the right source, the card's filter, the task type's reading, a count."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any, get_args

from xharness.data.counts import RowCount
from xharness.data.examples import ExampleStream
from xharness.data.item_ids import ItemIds
from xharness.data.split_sources import SharedRows, SplitSource, labels_of, split_sources
from xharness.digests import digest
from xharness.errors import ConfigurationError, NoRowsError, UnavailableError, XharnessError
from xharness.plugin.api.source import Download, RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.manager import summary
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.stages import DataSlice
from xharness.task_types.base import AnswerRepairs, Example, Reader, Row, TaskType


@dataclass(frozen=True)
class LoadedSlice:
    """The examples of a data slice, and what was counted on the way."""

    examples: list[Example]
    count: RowCount


class DataReader:
    """Finds and reads the rows that cards describe."""

    def __init__(self, catalogue: Catalogue, environment: RunEnvironment) -> None:
        self._catalogue, self._environment = catalogue, environment
        self._shared_rows: tuple[object, SharedRows] | None = None
        self._cards_with_labels: dict[str, TaskCard] = {}
        self._row_counts: dict[DataSlice, int] = {}
        """How many rows slices without a limit have, of those that were read to their end."""

    def data_slice(
        self, card: TaskCard, language: str, split: Split, limit: int | None
    ) -> DataSlice:
        """The data slice with its fingerprint, without reading its rows.

        Raises:
            UnavailableError: the data cannot be had.
        """
        sources = self._sources(card, language, split)
        fingerprints = [source.fingerprint() for source in sources]
        if split != "train" and any(source.spec.serves(language, "train") for source in sources):
            self._check_leak(card, language, split, {*fingerprints})
        meanings = [
            source.meaning(fingerprint)
            for source, fingerprint in zip(sources, fingerprints, strict=True)
        ]
        identity: list[Any] = meanings[0] if len(meanings) == 1 else meanings
        if card.labels == "from_data":
            # A label is an index into the sorted list of what the data holds.
            labels = [source.fingerprint() for source in self._label_sources(card)]
            identity = [*identity, labels]
        return DataSlice(card.name, language, split, limit, digest(identity))

    def card(self, name: str) -> TaskCard:
        """The card by name; labels that come from the data are filled in.

        Raises:
            UnavailableError: that data cannot be had.
        """
        card = self._catalogue.card(name)
        if card.labels != "from_data":
            return card
        if name not in self._cards_with_labels:
            labels = labels_of(self._label_sources(card))
            self._cards_with_labels[name] = card.model_copy(update={"labels": labels})
        return self._cards_with_labels[name]

    def downloads(self, data_slice: DataSlice) -> Iterator[Download]:
        """What reading the data slice would fetch first.

        Raises:
            UnavailableError: there is no such data.
        """
        card = self._catalogue.card(data_slice.card)
        for source in self._sources(card, data_slice.language, data_slice.split):
            yield from source.source.downloads(source.request)

    def load(self, data_slice: DataSlice, *, learn: bool = False) -> LoadedSlice:
        """The examples of a data slice; with `learn`, only those a model can be trained on.

        Every row is counted, those beyond the limit too: a count tells partial data.

        Raises:
            UnavailableError: the data cannot be had, does not fit the card, is empty, or has
                another number of rows than the card expects under `strict_data`.
        """
        stream = self.stream(data_slice, learn=learn)
        return LoadedSlice(list(stream), stream.count)

    def stream(self, data_slice: DataSlice, *, learn: bool = False) -> ExampleStream:
        """As `load`, without holding the examples: they are read while somebody asks for them."""
        return ExampleStream(self._read(data_slice, learn))

    def _sample(self, data_slice: DataSlice, learn: bool) -> Generator[Example, None, RowCount]:
        """`limit` of all rows; of one seed, a larger sample holds the smaller ones."""
        population = self.load(replace(data_slice, limit=None, sample=None), learn=learn)
        order = list(range(len(population.examples)))
        # Seeded by a text, which Python hashes alike everywhere; with the language in it, samples
        # of several languages do not draw the same positions.
        Random(f"{data_slice.sample} {data_slice.language}").shuffle(order)
        # Back in the data's order: the draw must not also decide in which order rows are read.
        indices = sorted(order[: data_slice.limit])
        yield from (population.examples[index] for index in indices)
        return replace(population.count, used=len(indices), sampled=True)

    def _read(self, data_slice: DataSlice, learn: bool) -> Generator[Example, None, RowCount]:
        if data_slice.sample is not None:
            return (yield from self._sample(data_slice, learn))
        card = self.card(data_slice.card)
        task_type = self._catalogue.task_types[card.task_type]
        whole, ids = replace(data_slice, limit=None), ItemIds()
        rows = unlearnable = 0
        repairs = AnswerRepairs(0, 0)
        for index, row in enumerate(self._rows(data_slice)):
            rows += 1
            if data_slice.limit is not None and len(ids) >= data_slice.limit:
                # Counted but not read on: whether data is partial shows only at its end. A study
                # reads the same few rows for every model; the others are counted for the first.
                if whole not in self._row_counts:
                    continue
                rows = self._row_counts[whole]
                break
            example = _example(task_type, row, index, card)
            if learn and not task_type.learnable(example):
                unlearnable += 1
                continue
            _check_id(card, ids.add(example.id))
            repairs = _with_repairs(repairs, task_type, example)
            yield example
        self._row_counts[whole] = rows
        _check_id(card, ids.repeated())
        if not len(ids):
            slice_name = f"{card.name} {data_slice.language} {data_slice.split}"
            raise NoRowsError(f"no rows in {slice_name}")
        return self._checked(
            RowCount(
                card.name,
                data_slice.language,
                data_slice.split,
                rows,
                card.expected_rows(data_slice.language, data_slice.split),
                used=len(ids),
                unlearnable=unlearnable,
                answers=repairs.answers,
                repaired=repairs.moved,
            )
        )

    def _checked(self, count: RowCount) -> RowCount:
        if count.partial and self._environment.strict_data:
            raise UnavailableError(
                f"partial data: {count}", hint="leave out --strict-data to go on"
            )
        return count

    def _check_leak(
        self, card: TaskCard, language: str, split: Split, fingerprints: set[str]
    ) -> None:
        """Refuse a card that serves its training rows again under the name of another split."""
        try:
            train = {source.fingerprint() for source in self._sources(card, language, "train")}
        # Without a training set nothing can leak.
        except UnavailableError:
            return
        if train & fingerprints:
            raise ConfigurationError(
                f"'{split}' and 'train' are the same rows in '{language}'",
                where=f"card '{card.name}'",
                hint="give each split its own file, or name under 'splits' only those it has",
            )

    def _rows(self, data_slice: DataSlice) -> Iterator[Row]:
        card = self._catalogue.card(data_slice.card)
        for source in self._sources(card, data_slice.language, data_slice.split):
            yield from source.select(self._shared(source) if source.filter else source.rows())

    def _shared(self, source: SplitSource) -> Sequence[Row]:
        """Rows that a filter shares out among languages: read once, and the last ones kept."""
        if self._shared_rows is None or self._shared_rows[0] != source.identity:
            self._shared_rows = None  # frees the memory before the next ones are read
            self._shared_rows = (source.identity, SharedRows(source.rows()))
        return self._shared_rows[1].candidates(source.filter)

    def _sources(self, card: TaskCard, language: str, split: Split) -> list[SplitSource]:
        return split_sources(card, language, split, self._catalogue, self._environment)

    def _label_sources(self, card: TaskCard) -> list[SplitSource]:
        """The sources that labels are gathered from: the source language's, if they are here."""
        language = card.source_language or card.languages[0]
        sources = []
        for split in get_args(Split):
            with suppress(UnavailableError):
                split_parts = self._sources(card, language, split)
                # Asking for the fingerprint is what finds out whether the data is here.
                sources += [source for source in split_parts if source.fingerprint()]
        return sources


def _item(card: TaskCard, row: Row, index: int) -> str:
    """The item's id as the card maps it; the row's number where it maps none."""
    reader = Reader(card, row, str(index))
    return reader.text("id") if reader.has("id") else str(index)


def _example(task_type: TaskType, row: Row, index: int, card: TaskCard) -> Example:
    """The row as the task type reads it.

    Raises:
        UnavailableError: it does not fit the card.
    """
    try:
        return task_type.example(row, _item(card, row, index), card)
    except XharnessError:
        raise
    except Exception as error:  # a row of another shape shows in whatever is asked of it first
        raise UnavailableError(
            f"row {index} is no {card.task_type}: {summary(error)}", where=f"card '{card.name}'"
        ) from error


def _with_repairs(repairs: AnswerRepairs, task_type: TaskType, example: Example) -> AnswerRepairs:
    """`repairs` with what reading the example mended."""
    moved, answers = task_type.repairs(example)
    return AnswerRepairs(repairs.moved + moved, repairs.answers + answers)


def _check_id(card: TaskCard, repeated_id: str | None) -> None:
    if repeated_id is not None:
        raise UnavailableError(
            f"two items have the id '{repeated_id}'", where=f"card '{card.name}'"
        )
