"""Where the rows of one split come from: the sources that a card names, and which rows are kept.

Most splits have one source; a card whose sources join, such as one that mixes three data sets, has
several, and their rows follow each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from xharness.errors import UnavailableError, XharnessError
from xharness.plugin.api.source import RunEnvironment, Source, SourceRequest
from xharness.plugin.asking import ask_fingerprint
from xharness.plugin.catalogue import Catalogue, validated
from xharness.spec.cards import TaskCard
from xharness.spec.languages import name_of
from xharness.spec.sources import SourceSpec, Split
from xharness.task_types.base import Reader, Row


@dataclass(frozen=True)
class SplitSource:
    """What one source gives to a split."""

    card: TaskCard
    source: Source
    spec: SourceSpec
    request: SourceRequest

    @cached_property
    def filter(self) -> dict[str, str]:
        """Column to the pattern that rows must match."""
        return dict(self.spec.expand(self.spec.filter, self.request.language))

    @cached_property
    def exclude(self) -> dict[str, str]:
        """Column to the pattern that rows must not match."""
        return dict(self.spec.expand(self.spec.exclude, self.request.language))

    @property
    def identity(self) -> object:
        """What the source is asked for: split sources that ask the same get the same rows."""
        return (self.source.name, self.request.options, self.request.split)

    def fingerprint(self) -> str:
        """What identifies the source's rows.

        Raises:
            UnavailableError: the data cannot be had; tells what the card says of getting it.
            PluginError: the source broke down.
        """
        try:
            return ask_fingerprint(
                f"source '{self.source.name}'",
                lambda: self.source.fingerprint(self.request),
                f"card '{self.card.name}'",
            )
        except XharnessError as error:
            raise self._with_instructions(error) from error.__cause__

    def _with_instructions(self, error: XharnessError) -> XharnessError:
        """`error`, with what the card says of getting the data where it cannot be had."""
        if not isinstance(error, UnavailableError) or self.spec.download_instructions is None:
            return error
        return UnavailableError(
            error.what,
            where=error.where,
            expected=self.spec.download_instructions,
            hint=error.hint,
        )

    def meaning(self, fingerprint: str) -> list[Any]:
        """What decides the examples that it gives; what a card need not say enters if it does."""
        return [
            self.source.name,
            fingerprint,
            self.filter,
            self.card.meaning(),
            *([self.spec.explode] if self.spec.explode is not None else []),
            *([{"exclude": self.exclude}] if self.exclude else []),
        ]

    def rows(self) -> Iterable[Row]:
        """The source's rows, those that the card drops included."""
        return self.source.rows(self.request)

    def select(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of `rows` that match every pattern of `filter` and none of `exclude`."""
        for row in rows:
            if all(self._matches(row, column, pattern) for column, pattern in self.filter.items()):
                if any(self._matches(row, *pattern) for pattern in self.exclude.items()):
                    continue
                if self.spec.explode is None:
                    yield row
                else:
                    yield from self._exploded(row, self.spec.explode)

    def _matches(self, row: Row, column: str, pattern: str) -> bool:
        if column not in row:
            raise UnavailableError(
                f"the data has no column '{column}' to filter by", where=f"card '{self.card.name}'"
            )
        # `fnmatch` itself would ignore the case of letters on some systems.
        return fnmatchcase(str(row[column]), pattern)

    def _exploded(self, row: Row, column: str) -> Iterator[Row]:
        """A row for each thing that `column` lists, with the row's own columns."""
        items = row.get(column)
        if not isinstance(items, Sequence) or not all(isinstance(item, Mapping) for item in items):
            raise UnavailableError(
                f"column '{column}' does not list rows",
                where=f"card '{self.card.name}', key 'explode'",
            )
        # Where both have a column of one name the item's counts: it is what the new row is about.
        return ({**row, **item} for item in items)


def split_sources(
    card: TaskCard, language: str, split: Split, catalogue: Catalogue, environment: RunEnvironment
) -> list[SplitSource]:
    """The sources of a split, in order.

    Raises:
        UnavailableError: the card has no such language or split.
    """
    specs = card.sources_of(language, split)
    if not specs:
        raise UnavailableError(_no_source(card, language, split))
    sources = []
    for spec in specs:
        source = catalogue.sources[spec.source]
        expanded = spec.expand(spec.source_options, language)
        owner = f"card '{card.name}', source '{spec.source}'"
        options: Any = validated(source.options, expanded, owner)
        request = SourceRequest(
            options, language, spec.expand(spec.splits[split], language), environment
        )
        sources.append(SplitSource(card, source, spec, request))
    return sources


def labels_of(sources: Iterable[SplitSource]) -> tuple[str, ...]:
    """Every label that the rows carry, sorted."""
    labels: set[str] = set()
    for source in sources:
        field = "tags" if "tags" in source.card.fields else "label"
        for row in source.select(source.rows()):
            value = Reader(source.card, row, "labels").value(field)
            labels |= {*map(str, value)} if isinstance(value, list | tuple) else {str(value)}
    return tuple(sorted(labels))


def _no_source(card: TaskCard, language: str, split: Split) -> str:
    if language not in card.languages:
        return f"task '{card.name}' is not in {name_of(language)} ('{language}')"
    splits = sorted(
        {name for spec in card.sources for name in spec.splits if spec.serves(language, name)}
    )
    message = f"task '{card.name}' has no {split} split in '{language}'"
    if not splits:
        return message
    example = f"{{task: {card.name}, split: {splits[-1]}}}"
    return f"{message}; it has: {', '.join(splits)} (to score it: {example})"
