"""Items that can only be answered together: what such a kind is asked, and the tools it is given.

The kind finds the answers itself, by searching; models only turn texts into vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, Protocol, runtime_checkable

from xharness.kinds.base import Prediction
from xharness.search import Vectors

TextRole = Literal["query", "passage", "sentence"]
"""What a text is there for: it asks, it may answer, or it is compared with others like it."""


class Encode(Protocol):
    """Turns texts into vectors of length 1, in their order, block by block."""

    def __call__(self, texts: Iterable[str], role: TextRole) -> Vectors:
        """Texts of the role `query` are cut at the recipe's `query_length`."""
        ...


class Text(Protocol):
    """A text with an id."""

    @property
    def id(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Pool:
    """Candidates, each text once: `ids[n]` are those that share the text of vector n."""

    ids: Sequence[tuple[str, ...]]
    vectors: Vectors
    answering: Mapping[str, Sequence[str]]
    """For each question's or entity's key the ids of the candidates that answer it."""


@dataclass(frozen=True)
class Asked:
    """The items of one language, and what it takes to answer them."""

    examples: Sequence[Any]
    encode: Encode
    pool: Pool | None = None
    """Where the card names an index: its candidates."""
    tuning: Asked | None = None
    """Where the card is tuned on a split: that split's items."""


@runtime_checkable
class Together(Protocol):
    """A kind whose items are answered together, as in retrieval, from vectors of texts."""

    @property
    def indexed(self) -> bool:
        """Whether the candidates come from another card, the card's `index`."""
        ...

    @property
    def candidates(self) -> TextRole:
        """What the candidates are to the items: passages, or sentences like them."""
        ...

    def answer(self, asked: Asked) -> Sequence[Prediction]:
        """One prediction for each of `asked.examples`, in order.

        Raises:
            UnavailableError: something is missing without which there is no answer.
        """
        ...


def pool(candidates: Iterable[Text], encode: Encode, role: TextRole) -> Pool:
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

    return Pool(ids, encode(distinct(), role), answering)


def _fingerprint(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()
