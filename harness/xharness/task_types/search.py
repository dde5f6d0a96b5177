"""Answers found by searching: what such a task type is handed, and the index that it searches.

The task type searches; models only turn texts into vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, Protocol

from xharness.task_types.neighbours import VectorBlocks

TextRole = Literal["query", "passage", "sentence"]
"""What a text is there for: it asks, it may answer, or it is compared with others like it."""


class Encode(Protocol):
    """Turns texts into vectors of length 1, in their order, block by block."""

    def __call__(self, texts: Iterable[str], role: TextRole) -> VectorBlocks:
        """Texts of the role `query` are cut at the recipe's `max_query_length`."""
        ...


class IdentifiedText(Protocol):
    """A text with an id."""

    @property
    def id(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class CandidateIndex:
    """Candidates, each text once: `ids[n]` are those that share the text of vector n."""

    ids: Sequence[tuple[str, ...]]
    vectors: VectorBlocks
    relevant_ids: Mapping[str, Sequence[str]]
    """For each question's or entity's key the ids of the candidates that answer it."""


@dataclass(frozen=True)
class SearchRequest:
    """The items of one language, and what it takes to answer them."""

    examples: Sequence[Any]
    encode: Encode
    index: CandidateIndex | None = None
    """Where the card names an index: its candidates."""
    tuning: SearchRequest | None = None
    """Where the card is tuned on a split: that split's items."""


def build_index(
    candidates: Iterable[IdentifiedText], encode: Encode, role: TextRole
) -> CandidateIndex:
    """The index of `candidates`, texts of one role, which are read once and not kept."""
    positions: dict[bytes, int] = {}
    ids: list[tuple[str, ...]] = []
    relevant_ids: dict[str, list[str]] = {}

    def distinct() -> Iterator[str]:
        for candidate in candidates:
            for key in getattr(candidate, "answers", ()):
                relevant_ids.setdefault(key, []).append(candidate.id)
            # A digest in place of the text: a million texts would not fit beside their vectors.
            position = positions.setdefault(_fingerprint(candidate.text), len(ids))
            if position == len(ids):
                ids.append((candidate.id,))
                yield candidate.text
            else:
                ids[position] = (*ids[position], candidate.id)

    return CandidateIndex(ids, encode(distinct(), role), relevant_ids)


def _fingerprint(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
