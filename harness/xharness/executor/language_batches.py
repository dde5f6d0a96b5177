"""Streams: small languages of a task are asked together, so that their batches are full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xharness.plugin.api import Example, TaskCard
from xharness.stages import DataSlice


@dataclass(frozen=True)
class LanguageBatch:
    """The items of one language, and the card as a model is asked in it."""

    data_slice: DataSlice
    card: TaskCard
    examples: Sequence[Example]


def language_batches(parts: Iterable[LanguageBatch], least: int) -> Iterator[list[LanguageBatch]]:
    """Languages that follow each other and are asked alike, at `least` items a stream.

    A model that answers in words is told each language, so that it is asked them one by one.
    What is in a stream never hangs on what was answered before: an interrupted stage asks for the
    same batches as an undisturbed one.
    """
    stream: list[LanguageBatch] = []
    for part in parts:
        if stream and part.card != stream[0].card:
            yield stream
            stream = []
        stream.append(part)
        if total(stream) >= least:
            yield stream
            stream = []
    if stream:
        yield stream


def total(stream: Sequence[LanguageBatch]) -> int:
    """How many items the stream has."""
    return sum(len(part.examples) for part in stream)


def split(answers: Any, stream: Sequence[LanguageBatch]) -> Iterator[tuple[LanguageBatch, Any]]:
    """Each part with its rows of the table `answers`."""
    first = 0
    for part in stream:
        yield part, answers.slice(first, len(part.examples))
        first += len(part.examples)
