"""Where sub-words stand in their text, for tokenizers that do not tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness_hf.backbone.batch import Ints

_MARKS = ("▁", "Ġ", "##", "@@", "</w>", "Ċ")
_FAR = 24  # characters that normalisation may have dropped before a sub-word


def offsets(text: str, pieces: Sequence[str]) -> Ints:
    """The (start, end) characters of each sub-word, shape (n, 2).

    Characters and bytes are counted. Other sub-words are looked for one after another, whatever
    their case; one that is not found (an unknown one) takes what its neighbours leave.
    """
    if len(pieces) == len(text):
        starts = np.arange(len(text), dtype=np.int32)
        return np.stack([starts, starts + 1], axis=1)
    if len(pieces) == len(text.encode()):
        owners = [place for place, one in enumerate(text) for _ in one.encode()]
        starts = np.array(owners, dtype=np.int32)
        return np.stack([starts, starts + 1], axis=1)
    return _filled(text, _found(text, pieces))


def _found(text: str, pieces: Sequence[str]) -> list[tuple[int, int] | None]:
    plain, cursor = _folded(text), 0
    found: list[tuple[int, int] | None] = []
    for piece in pieces:
        bare = _folded(_bare(piece))
        start = plain.find(bare, cursor, cursor + len(bare) + _FAR) if bare else -1
        found.append((start, start + len(bare)) if start >= 0 else None)
        cursor = cursor if start < 0 else start + len(bare)
    return found


def _filled(text: str, found: Sequence[tuple[int, int] | None]) -> Ints:
    """Every gap given to the sub-words that were not found beside it."""
    ends: list[tuple[int, int]] = []
    last = 0
    for place, one in enumerate(found):
        if one is None:
            later = next((other for other in found[place:] if other is not None), None)
            gap = text[last : later[0] if later else len(text)]
            first = last + len(gap) - len(gap.lstrip())
            ends.append((first, first + len(gap.strip())))
            continue
        ends.append(one)
        last = one[1]
    return np.array(ends, dtype=np.int32).reshape(-1, 2)


def _bare(piece: str) -> str:
    for mark in _MARKS:
        piece = piece.replace(mark, "")
    return piece


def _folded(text: str) -> str:
    """In small letters, as long as before."""
    return "".join(low if len(low := one.lower()) == 1 else one for one in text)
