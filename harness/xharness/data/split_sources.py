"""Where the rows of one split come from: the sources that a card names, and which rows are kept.

Most splits have one source; a card whose sources join, such as one that mixes three data sets, has
several, and their rows follow each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
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

_RowsByWord = Mapping[str, Sequence[Row]]


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
        wanted = {column: _matcher(pattern) for column, pattern in self.filter.items()}
        unwanted = {column: _matcher(pattern) for column, pattern in self.exclude.items()}
        for row in rows:
            if all(matches(self._text(row, column)) for column, matches in wanted.items()):
                if any(matches(self._text(row, column)) for column, matches in unwanted.items()):
                    continue
                if self.spec.explode is None:
                    yield row
                else:
                    yield from self._exploded(row, self.spec.explode)

    def _text(self, row: Row, column: str) -> str:
        try:
            return str(row[column])
        except KeyError:
            raise UnavailableError(
                f"the data has no column '{column}' to filter by", where=f"card '{self.card.name}'"
            ) from None

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


def _matcher(pattern: str) -> Callable[[str], object]:
    """Whether a text matches `pattern`; most patterns are plain words, asked of millions of rows.

    Letters count with their case, which `fnmatch` would leave to the system.
    """
    return pattern.__eq__ if _is_word(pattern) else re.compile(translate(pattern)).match


def _is_word(pattern: str) -> bool:
    """Whether `pattern` matches nothing but itself."""
    return not {*pattern} & {*"*?["}


class SharedRows:
    """Rows that a filter shares out among languages, found without asking every row each time."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = list(rows)
        self._groups: dict[str, _RowsByWord | None] = {}

    def candidates(self, patterns: Mapping[str, str]) -> Sequence[Row]:
        """Rows, in order, among which are all that match `patterns`, given for columns."""
        for column, pattern in patterns.items():
            groups = self._by(column) if _is_word(pattern) else None
            if groups is not None:
                return groups.get(pattern, [])
        return self._rows

    def _by(self, column: str) -> _RowsByWord | None:
        """The rows by what `column` says; None where a row lacks it."""
        if column not in self._groups:
            groups: dict[str, list[Row]] = {}
            for row in self._rows:
                if column not in row:
                    self._groups[column] = None
                    return None
                groups.setdefault(str(row[column]), []).append(row)
            self._groups[column] = groups
        return self._groups[column]


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
