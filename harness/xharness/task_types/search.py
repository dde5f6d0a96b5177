"""Items that can only be answered together: what such a kind is asked, and the tools it is given.

The kind finds the answers itself, by searching; models only turn texts into vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, Protocol, runtime_checkable

from xharness.task_types.base import Prediction
from xharness.task_types.neighbours import VectorBlocks

TextRole = Literal["query", "passage", "sentence"]
"""What a text is there for: it asks, it may answer, or it is compared with others like it."""


class Encode(Protocol):
    """Turns texts into vectors of length 1, in their order, block by block."""

    def __call__(self, texts: Iterable[str], role: TextRole) -> VectorBlocks:
        """Texts of the role `query` are cut at the recipe's `query_length`."""
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


@runtime_checkable
class SearchTaskType(Protocol):
    """A kind whose items are answered together, as in retrieval, from vectors of texts."""

    @property
    def indexed(self) -> bool:
        """Whether the candidates come from another card, the card's `index`."""
        ...

    @property
    def candidate_role(self) -> TextRole:
        """What the candidates are to the items: passages, or sentences like them."""
        ...

    def search(self, asked: SearchRequest) -> Sequence[Prediction]:
        """One prediction for each of `asked.examples`, in order.

        Raises:
            UnavailableError: something is missing without which there is no answer.
        """
        ...


def build_index(
    candidates: Iterable[IdentifiedText], encode: Encode, role: TextRole
) -> CandidateIndex:
    """The pool of `candidates`, texts of one role, which are read once and not kept."""
    places: dict[bytes, int] = {}
    ids: list[tuple[str, ...]] = []
    answering: dict[str, list[str]] = {}

    def distinct() -> Iterator[str]:
        for one in candidates:
            for key in getattr(one, "answers", ()):
                answering.setdefault(key, []).append(one.id)
            place = places.setdefault(_fingerprint(one.text), len(ids))
            if place == len(ids):
                ids.append((one.id,))
                yield one.text
            else:
                ids[place] = (*ids[place], one.id)

    return CandidateIndex(ids, encode(distinct(), role), answering)


def _fingerprint(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
