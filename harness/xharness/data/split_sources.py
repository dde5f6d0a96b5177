"""Where the rows of one split come from: the sources that a card names, and which rows are wanted.

Most splits are one piece; a card whose sources join, such as one that mixes three data sets, has
several, and their rows follow each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from xharness.errors import UnavailableError
from xharness.plugin.api import Row, RunEnvironment, Source, SourceRequest
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.cards import TaskCard
from xharness.spec.languages import name_of
from xharness.spec.sources import SourceSpec, Split
from xharness.task_types.base import Reader


@dataclass(frozen=True)
class SplitSource:
    """What one source gives to a split."""

    card: TaskCard
    source: Source
    spec: SourceSpec
    request: SourceRequest

    @cached_property
    def where(self) -> dict[str, str]:
        """Column to the pattern that rows must match."""
        return dict(self.spec.expand(self.spec.filter, self.request.language))

    @cached_property
    def unless(self) -> dict[str, str]:
        """Column to the pattern that rows must not match."""
        return dict(self.spec.expand(self.spec.exclude, self.request.language))

    @property
    def asked(self) -> object:
        """What the source is asked for: pieces that ask the same get the same rows."""
        return (self.source.name, self.request.options, self.request.split)

    def fingerprint(self) -> str:
        """What identifies the source's rows.

        Raises:
            UnavailableError: the data cannot be had; tells what the card says of getting it.
        """
        try:
            return self.source.fingerprint(self.request)
        except UnavailableError as error:
            if self.spec.download_instructions is None:
                raise
            raise UnavailableError(
                error.what,
                where=error.where,
                expected=self.spec.download_instructions,
                hint=error.hint,
            ) from None

    def identity(self, fingerprint: str) -> list[Any]:
        """What decides the examples that it gives; what a card need not say enters when said."""
        return [
            self.source.name,
            fingerprint,
            self.where,
            self.card.meaning(),
            *([self.spec.explode] if self.spec.explode is not None else []),
            *([{"exclude": self.unless}] if self.unless else []),
        ]

    def rows(self) -> Iterable[Row]:
        """The source's rows, wanted or not."""
        return self.source.rows(self.request)

    def wanted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of `rows` that match every pattern of `where` and none of `unless`."""
        for row in rows:
            kept = all(self._matches(row, *one) for one in self.where.items())
            if kept and not any(self._matches(row, *one) for one in self.unless.items()):
                yield from (
                    (row,) if self.spec.explode is None else self._listed(row, self.spec.explode)
                )

    def _matches(self, row: Row, column: str, pattern: str) -> bool:
        if column not in row:
            raise UnavailableError(
                f"the data has no column '{column}' to filter by", where=f"card '{self.card.name}'"
            )
        return fnmatchcase(str(row[column]), pattern)

    def _listed(self, row: Row, column: str) -> Iterator[Row]:
        """A row for each thing that `column` lists, with the row's own columns."""
        listed = row.get(column)
        if not isinstance(listed, Sequence) or not all(isinstance(one, Mapping) for one in listed):
            raise UnavailableError(
                f"column '{column}' does not list rows",
                where=f"card '{self.card.name}', key 'each'",
            )
        return ({**row, **one} for one in listed)


def split_sources(
    card: TaskCard, language: str, split: Split, catalogue: Catalogue, environment: RunEnvironment
) -> list[SplitSource]:
    """The pieces of a split, in order.

    Raises:
        UnavailableError: the card has no such language or split.
    """
    specs = card.sources_of(language, split)
    if not specs:
        raise UnavailableError(_no_source(card, language, split))
    found = []
    for spec in specs:
        source = catalogue.sources[spec.source]
        own = spec.expand(spec.source_options, language)
        options: Any = validated(source.options, own, f"card '{card.name}', source '{spec.source}'")
        request = SourceRequest(
            options, language, spec.expand(spec.splits[split], language), environment
        )
        found.append(SplitSource(card, source, spec, request))
    return found


def labels_of(pieces: Iterable[SplitSource]) -> tuple[str, ...]:
    """Every label that the rows carry, sorted."""
    found: set[str] = set()
    for piece in pieces:
        fields = piece.card.fields
        field = "tags" if "tags" in fields else "label"
        for row in piece.wanted(piece.rows()):
            value = Reader(piece.card, row, "labels").value(field)
            found |= {*map(str, value)} if isinstance(value, list | tuple) else {str(value)}
    return tuple(sorted(found))


def _no_source(card: TaskCard, language: str, split: Split) -> str:
    if language not in card.languages:
        return f"task '{card.name}' is not in {name_of(language)} ('{language}')"
    splits = sorted(
        {name for spec in card.sources for name in spec.splits if spec.serves(language, name)}
    )
    return f"task '{card.name}' has no {split} split in '{language}'; it has: {', '.join(splits)}"
