"""Small languages of a task are predicted together, so that the model's batches are full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xharness.plugin.api import Example, TaskCard
from xharness.stages import DataSlice


@dataclass(frozen=True)
class LanguageItems:
    """The items of one language, and the card with the prompt that they are given in."""

    data_slice: DataSlice
    card: TaskCard
    examples: Sequence[Example]


def language_batches(
    languages: Iterable[LanguageItems], min_items: int
) -> Iterator[list[LanguageItems]]:
    """Neighbouring languages with the same card, as few a batch as have `min_items` together.

    A model that writes its answers has a prompt for each language, so each is a batch of its own.
    What is in a batch never hangs on what was predicted before: an interrupted stage goes on with
    the same batches as an undisturbed one.
    """
    batch: list[LanguageItems] = []
    for language in languages:
        if batch and language.card != batch[0].card:
            yield batch
            batch = []
        batch.append(language)
        if item_count(batch) >= min_items:
            yield batch
            batch = []
    if batch:
        yield batch


def item_count(batch: Sequence[LanguageItems]) -> int:
    """How many items the batch has."""
    return sum(len(language.examples) for language in batch)


def by_language(table: Any, batch: Sequence[LanguageItems]) -> Iterator[tuple[LanguageItems, Any]]:
    """Each language with its rows of `table`, which has a row for each item of the batch."""
    first = 0
    for language in batch:
        yield language, table.slice(first, len(language.examples))
        first += len(language.examples)
