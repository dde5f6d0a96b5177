"""Streams: small languages of a task are asked together, so that their batches are full."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from xharness.extend import Example, TaskCard
from xharness.stages import Portion


@dataclass(frozen=True)
class Part:
    """The items of one language, and the card as a model is asked in it."""

    portion: Portion
    card: TaskCard
    examples: Sequence[Example]


def streams(parts: Iterable[Part], least: int) -> Iterator[list[Part]]:
    """Languages that follow each other and are asked alike, at `least` items a stream.

    A model that answers in words is told each language, so that it is asked them one by one.
    What is in a stream never hangs on what was answered before: an interrupted stage asks for the
    same batches as an undisturbed one.
    """
    stream: list[Part] = []
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


def total(stream: Sequence[Part]) -> int:
    """How many items the stream has."""
    return sum(len(part.examples) for part in stream)


def split(answers: Any, stream: Sequence[Part]) -> Iterator[tuple[Part, Any]]:
    """Each part with its rows of the table `answers`."""
    first = 0
    for part in stream:
        yield part, answers.slice(first, len(part.examples))
        first += len(part.examples)
