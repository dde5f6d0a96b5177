"""Rows become examples: the right source, the card's filter, the kind's reading, and a count.

What was expected and what was found is kept beside the examples, so that every number made from
them can carry the mark *partial data*.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any, get_args

from xharness.data.split_sources import SplitSource, labels_of, split_sources
from xharness.digests import digest
from xharness.errors import ConfigurationError, NoRowsError, UnavailableError
from xharness.plugin.api import Example, Row, RunEnvironment, TaskType
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.stages import DataSlice
from xharness.task_types.base import AnswerRepairs, Reader


@dataclass(frozen=True)
class RowCount:
    """How much of a split there was, and how much was used."""

    card: str
    language: str
    split: str
    rows: int
    expected: int | None
    used: int
    unlearnable: int = 0
    """Rows that a model cannot learn from, such as those whose answer is nowhere."""
    answers: int = 0
    repaired: int = 0
    """How many of the `answers` stood elsewhere than the data says; they were put right."""
    sampled: bool = False
    """Whether what was used was drawn, and is not the first rows."""
    translated: str | None = None
    """By which translator the rows were said in `language`, if they were."""

    @property
    def partial(self) -> bool:
        """Whether the data is not the publisher's whole split."""
        return self.expected is not None and self.rows != self.expected

    def __str__(self) -> str:
        return (
            f"{self.card} {self.language} {self.split}: {self.rows} rows, {self.expected} expected"
        )


@dataclass(frozen=True)
class LoadedSlice:
    """The examples of one portion, and what was counted on the way."""

    examples: list[Example]
    count: RowCount


class ExampleStream:
    """Examples one by one; when all have been read, `count` says what was counted on the way."""

    count: RowCount

    def __init__(self, examples: Generator[Example, None, RowCount]) -> None:
        self._examples = examples

    def __iter__(self) -> Iterator[Example]:
        self.count = yield from self._examples


class DataReader:
    """Finds and reads the rows that cards describe."""

    def __init__(self, catalogue: Catalogue, environment: RunEnvironment) -> None:
        self._catalogue, self._environment = catalogue, environment
        self._kept: tuple[object, list[Row]] | None = None
        self._open: dict[str, TaskCard] = {}

    def data_slice(
        self, card: TaskCard, language: str, split: Split, limit: int | None
    ) -> DataSlice:
        """The portion with its fingerprint, without reading its rows.

        Raises:
            UnavailableError: the data cannot be had.
        """
        pieces = self._pieces(card, language, split)
        fingerprints = [piece.fingerprint() for piece in pieces]
        if split != "train" and any(one.spec.serves(language, "train") for one in pieces):
            self._check_leak(card, language, split, {*fingerprints})
        parts = [one.identity(seen) for one, seen in zip(pieces, fingerprints, strict=True)]
        identity: list[Any] = parts[0] if len(parts) == 1 else parts
        if card.labels == "from_data":
            identity = [*identity, [one.fingerprint() for one in self._labelled(card)]]
        return DataSlice(card.name, language, split, limit, digest(identity))

    def card(self, name: str) -> TaskCard:
        """The card by name; open labels are filled in from its data.

        Raises:
            UnavailableError: that data cannot be had.
        """
        card = self._catalogue.card(name)
        if card.labels != "from_data":
            return card
        if name not in self._open:
            labels = labels_of(self._labelled(card))
            self._open[name] = card.model_copy(update={"labels": labels})
        return self._open[name]

    def load(self, portion: DataSlice, *, learn: bool = False) -> LoadedSlice:
        """The portion's examples; with `learn`, only those a model can be trained on.

        Every row is counted, those beyond the limit too: a count tells partial data.

        Raises:
            UnavailableError: the data cannot be had, does not fit the card, is empty, or has
                another number of rows than the card expects under `strict_data`.
        """
        reading = self.stream(portion, learn=learn)
        return LoadedSlice(list(reading), reading.count)

    def stream(self, portion: DataSlice, *, learn: bool = False) -> ExampleStream:
        """As `load`, without holding the examples: they are read while somebody asks for them."""
        return ExampleStream(self._read(portion, learn))

    def _drawn(self, portion: DataSlice, learn: bool) -> Generator[Example, None, RowCount]:
        """`limit` of all rows; of one seed, a larger number holds the smaller ones."""
        whole = self.load(replace(portion, limit=None, sample=None), learn=learn)
        order = list(range(len(whole.examples)))
        Random(f"{portion.sample} {portion.language}").shuffle(order)
        some = sorted(order[: portion.limit])
        yield from (whole.examples[place] for place in some)
        return replace(whole.count, used=len(some), sampled=True)

    def _read(self, portion: DataSlice, learn: bool) -> Generator[Example, None, RowCount]:
        if portion.sample is not None:
            return (yield from self._drawn(portion, learn))
        card = self.card(portion.card)
        kind = self._catalogue.task_types[card.task_type]
        seen: set[str] = set()
        rows = refused = 0
        repairs = AnswerRepairs(0, 0)
        for number, row in enumerate(self._rows(portion)):
            rows += 1
            if portion.limit is not None and len(seen) >= portion.limit:
                continue
            example = kind.example(row, _item(card, row, number), card)
            if learn and not kind.learnable(example):
                refused += 1
                continue
            _check_id(card, example, seen)
            repairs = _with_repairs(repairs, kind, example)
            yield example
        if not seen:
            raise NoRowsError(f"no rows in {card.name} {portion.language} {portion.split}")
        count = RowCount(
            card.name,
            portion.language,
            portion.split,
            rows,
            card.expected_rows(portion.language, portion.split),
            used=len(seen),
            unlearnable=refused,
            answers=repairs.of,
            repaired=repairs.moved,
        )
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
            train = {piece.fingerprint() for piece in self._pieces(card, language, "train")}
        except UnavailableError:
            return
        if train & fingerprints:
            raise ConfigurationError(
                f"'{split}' and 'train' are the same rows in '{language}'",
                where=f"card '{card.name}'",
                hint="give each split its own file, or name under 'splits' only those it has",
            )

    def _rows(self, portion: DataSlice) -> Iterator[Row]:
        card = self._catalogue.card(portion.card)
        for piece in self._pieces(card, portion.language, portion.split):
            yield from piece.wanted(self._mixed(piece) if piece.where else piece.rows())

    def _mixed(self, piece: SplitSource) -> Sequence[Row]:
        """Rows of several languages in one split, read once for all of them; the last kept."""
        if self._kept is None or self._kept[0] != piece.asked:
            self._kept = None  # frees the memory before the next ones are read
            self._kept = (piece.asked, list(piece.rows()))
        return self._kept[1]

    def _pieces(self, card: TaskCard, language: str, split: Split) -> list[SplitSource]:
        return split_sources(card, language, split, self._catalogue, self._environment)

    def _labelled(self, card: TaskCard) -> list[SplitSource]:
        """The pieces that open labels are gathered from: the source language's, where they are."""
        language = card.source_language or card.languages[0]
        found = []
        for split in get_args(Split):
            with suppress(UnavailableError):
                pieces = self._pieces(card, language, split)
                found += [one for one in pieces if one.fingerprint()]
        return found


def expected_rows(portions: Iterable[DataSlice], catalogue: Catalogue) -> int | None:
    """How many examples the cards say there are, for estimates; None where one does not say."""
    total = 0
    for portion in portions:
        rows = catalogue.card(portion.card).expected_rows(portion.language, portion.split)
        if rows is None:
            return None
        total += rows if portion.limit is None else min(rows, portion.limit)
    return total


def _item(card: TaskCard, row: Row, number: int) -> str:
    """The item's id as the card maps it; the row's number where it maps none."""
    read = Reader(card, row, str(number))
    return read.text("id") if read.has("id") else str(number)


def _with_repairs(repairs: AnswerRepairs, kind: TaskType, example: Example) -> AnswerRepairs:
    """`repairs` with what reading the example mended."""
    moved, of = kind.repairs(example)
    return AnswerRepairs(repairs.moved + moved, repairs.of + of)


def _check_id(card: TaskCard, example: Example, seen: set[str]) -> None:
    if example.id in seen:
        raise UnavailableError(f"two items have the id '{example.id}'", where=f"card '{card.name}'")
    seen.add(example.id)
