"""Small languages of a task are predicted together, so that the model's batches are full.

Items are read while they are answered: of a language with many, a few shards are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from xharness.plugin.api import Example, TaskCard
from xharness.stages import DataSlice


@dataclass(frozen=True)
class LanguageItems:
    """The items of one language, and the card with the prompt that they are given in."""

    data_slice: DataSlice
    card: TaskCard
    examples: Iterable[Example]


@dataclass(frozen=True)
class LanguageBatch:
    """Neighbouring languages with the same card; only the last may have more than is held."""

    languages: Sequence[LanguageItems]
    held: Sequence[Sequence[Example]]
    """The items of each language; of the last one, the first ones."""
    unread: Iterator[Example]
    """The other items of the last language."""

    @property
    def card(self) -> TaskCard:
        """The card of all of them."""
        return self.languages[0].card

    def examples(self) -> Iterator[Example]:
        """The items of all languages; to be asked for once."""
        return chain(*self.held, self.unread)


def language_batches(languages: Iterable[LanguageItems], min_items: int) -> Iterator[LanguageBatch]:
    """As few languages a batch as have `min_items` together.

    A model that writes its answers has a prompt for each language, so each is a batch of its own.
    What is in a batch never hangs on what was predicted before: an interrupted stage goes on with
    the same batches as an undisturbed one. A batch is to be read before the next is asked for.
    """
    batch: list[LanguageItems] = []
    held: list[list[Example]] = []
    for language in languages:
        if batch and language.card != batch[0].card:
            yield LanguageBatch(batch, held, iter(()))
            batch, held = [], []
        examples = iter(language.examples)
        batch.append(language)
        held.append([*islice(examples, min_items - sum(map(len, held)))])
        if sum(map(len, held)) >= min_items:
            yield LanguageBatch(batch, held, examples)
            batch, held = [], []
    if batch:
        yield LanguageBatch(batch, held, iter(()))


def cut(examples: Iterable[Example], size: int) -> Iterator[tuple[Sequence[Example], bool]]:
    """Shards of `size` items, and whether each is the last; the next is read before it."""
    remaining = iter(examples)
    shard = [*islice(remaining, size)]
    while shard:
        following = [*islice(remaining, size)]
        yield shard, not following
        shard = following


def by_language(
    tables: Iterable[Any], batch: LanguageBatch
) -> Iterator[tuple[LanguageItems, Iterable[Any]]]:
    """Each language with its rows of `tables`, which have a row for each item of the batch.

    The first table has all rows of all languages but the last, as shards of `min_items` do.
    """
    remaining = iter(tables)
    table, first = next(remaining), 0
    *small_languages, last_language = batch.languages
    for language, examples in zip(small_languages, batch.held, strict=False):
        yield language, [table.slice(first, len(examples))]
        first += len(examples)
    yield last_language, chain([table.slice(first)], remaining)
