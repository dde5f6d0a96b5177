"""Rows become examples: the right source, the card's filter, the kind's reading, and a count.

What was expected and what was found is kept beside the examples, so that every number made from
them can carry the mark *partial data*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from xharness.cards import SourceSpec, Split, TaskCard
from xharness.catalogue import Catalogue, validated
from xharness.digest import digest
from xharness.errors import ConfigurationError, UnavailableError
from xharness.extend import Example, Request, Row, Source, Surroundings
from xharness.languages import name_of
from xharness.stages import Portion


@dataclass(frozen=True)
class Count:
    """How much of a split there was, and how much was used."""

    card: str
    language: str
    split: str
    rows: int
    expected: int | None
    used: int
    refused: int = 0

    @property
    def partial(self) -> bool:
        """Whether the data is not the publisher's whole split."""
        return self.expected is not None and self.rows != self.expected

    def __str__(self) -> str:
        return (
            f"{self.card} {self.language} {self.split}: {self.rows} rows, {self.expected} expected"
        )


@dataclass(frozen=True)
class Loaded:
    """The examples of one portion, and what was counted on the way."""

    examples: list[Example]
    count: Count


class Data:
    """Finds and reads the rows that cards describe."""

    def __init__(self, catalogue: Catalogue, surroundings: Surroundings) -> None:
        self._catalogue, self._surroundings = catalogue, surroundings
        self._kept: tuple[object, list[Row]] | None = None

    def portion(self, card: TaskCard, language: str, split: Split, limit: int | None) -> Portion:
        """The portion with its fingerprint, without reading its rows.

        Raises:
            UnavailableError: the data cannot be had.
        """
        source, spec, request = self._request(card, language, split)
        fingerprint = source.fingerprint(request)
        if split != "train" and spec.serves(language, "train"):
            self._check_leak(card, language, split, fingerprint)
        identity = [
            source.name,
            fingerprint,
            spec.expand(spec.where, language),
            card.meaning(),
            *([spec.each] if spec.each is not None else []),
        ]
        return Portion(card.name, language, split, limit, digest(identity))

    def load(self, portion: Portion, *, learn: bool = False) -> Loaded:
        """The portion's examples; with `learn`, only those a model can be trained on.

        Every row is counted, those beyond the limit too: a count tells partial data.

        Raises:
            UnavailableError: the data cannot be had, does not fit the card, is empty, or has
                another number of rows than the card expects under `strict_data`.
        """
        card = self._catalogue.card(portion.card)
        kind = self._catalogue.kinds[card.kind]
        examples: list[Example] = []
        rows = refused = 0
        for number, row in enumerate(self._rows(portion)):
            rows += 1
            if portion.limit is not None and len(examples) >= portion.limit:
                continue
            example = kind.example(row, _item(card, row, number), card)
            if learn and not kind.learnable(example):
                refused += 1
            else:
                examples.append(example)
        _check_ids(card, examples)
        published = card.expected_rows(portion.language, portion.split)
        count = Count(
            card.name, portion.language, portion.split, rows, published, len(examples), refused
        )
        if not examples:
            raise UnavailableError(f"no rows in {card.name} {portion.language} {portion.split}")
        if count.partial and self._surroundings.strict_data:
            raise UnavailableError(
                f"partial data: {count}", hint="leave out --strict-data to go on"
            )
        return Loaded(examples, count)

    def _check_leak(self, card: TaskCard, language: str, split: Split, fingerprint: str) -> None:
        """Refuse a card that serves its training rows again under the name of another split."""
        source, _, request = self._request(card, language, "train")
        try:
            leaks = source.fingerprint(request) == fingerprint
        except UnavailableError:
            return
        if leaks:
            raise ConfigurationError(
                f"'{split}' and 'train' are the same rows in '{language}'",
                where=f"card '{card.name}'",
                hint="give each split its own file, or name under 'splits' only those it has",
            )

    def _rows(self, portion: Portion) -> Iterator[Row]:
        card = self._catalogue.card(portion.card)
        source, spec, request = self._request(card, portion.language, portion.split)
        where: dict[str, str] = spec.expand(spec.where, portion.language)
        rows: Iterable[Row] = self._mixed(source, request) if where else source.rows(request)
        for row in rows:
            if all(_matches(card, row, column, pattern) for column, pattern in where.items()):
                yield from (row,) if spec.each is None else _listed(card, row, spec.each)

    def _mixed(self, source: Source, request: Request) -> Sequence[Row]:
        """Rows of several languages in one split, read once for all of them; the last kept."""
        asked = (source.name, request.options, request.split)
        if self._kept is None or self._kept[0] != asked:
            self._kept = None  # frees the memory before the next ones are read
            self._kept = (asked, list(source.rows(request)))
        return self._kept[1]

    def _request(
        self, card: TaskCard, language: str, split: Split
    ) -> tuple[Source, SourceSpec, Request]:
        spec = card.source(language, split)
        if spec is None:
            raise UnavailableError(_no_source(card, language, split))
        source = self._catalogue.sources[spec.source]
        own = spec.expand(spec.own_options, language)
        options: Any = validated(source.options, own, f"card '{card.name}', source '{spec.source}'")
        called = spec.expand(spec.splits[split], language)
        return source, spec, Request(options, language, called, self._surroundings)


def expected(portions: Iterable[Portion], catalogue: Catalogue) -> int | None:
    """How many examples the cards say there are, for estimates; None where one does not say."""
    total = 0
    for portion in portions:
        rows = catalogue.card(portion.card).expected_rows(portion.language, portion.split)
        if rows is None:
            return None
        total += rows if portion.limit is None else min(rows, portion.limit)
    return total


def _item(card: TaskCard, row: Row, number: int) -> str:
    column = card.fields.get("id")
    return str(row.get(column, number)) if isinstance(column, str) else str(number)


def _matches(card: TaskCard, row: Row, column: str, pattern: str) -> bool:
    if column not in row:
        raise UnavailableError(
            f"the data has no column '{column}' to filter by", where=f"card '{card.name}'"
        )
    return fnmatchcase(str(row[column]), pattern)


def _listed(card: TaskCard, row: Row, column: str) -> Iterator[Row]:
    """A row for each thing that `column` lists, with the row's own columns."""
    listed = row.get(column)
    if not isinstance(listed, Sequence) or not all(isinstance(one, Mapping) for one in listed):
        raise UnavailableError(
            f"column '{column}' does not list rows", where=f"card '{card.name}', key 'each'"
        )
    return ({**row, **one} for one in listed)


def _check_ids(card: TaskCard, examples: list[Example]) -> None:
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise UnavailableError(
                f"two items have the id '{example.id}'", where=f"card '{card.name}'"
            )
        seen.add(example.id)


def _no_source(card: TaskCard, language: str, split: Split) -> str:
    if language not in card.languages:
        return f"task '{card.name}' is not in {name_of(language)} ('{language}')"
    splits = sorted(
        {name for spec in card.sources for name in spec.splits if spec.serves(language, name)}
    )
    return f"task '{card.name}' has no {split} split in '{language}'; it has: {', '.join(splits)}"
