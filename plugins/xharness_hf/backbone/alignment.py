"""Where sub-words stand in their text, for tokenizers that do not tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness_hf.backbone.batch import Ints

# Of SentencePiece, byte-level BPE, WordPiece, fairseq's BPE, XLM's, and a line feed in bytes.
_MARKS = ("▁", "Ġ", "##", "@@", "</w>", "Ċ")
_FAR = 24  # characters that normalisation may have dropped before a sub-word


def offsets(text: str, pieces: Sequence[str]) -> Ints:
    """The (start, end) characters of each sub-word, shape (n, 2).

    Characters and bytes are counted. Other sub-words are looked for one after another, whatever
    their case; one that is not found (an unknown one) takes what its neighbours leave.
    """
    # CANINE's sub-words are characters, ByT5's are bytes: both are named by numbers
    if len(pieces) == len(text):
        starts = np.arange(len(text), dtype=np.int32)
        return np.stack([starts, starts + 1], axis=1)
    if len(pieces) == len(text.encode()):
        character_of_byte = [
            character_index
            for character_index, character in enumerate(text)
            for _ in character.encode()
        ]
        starts = np.array(character_of_byte, dtype=np.int32)
        return np.stack([starts, starts + 1], axis=1)
    return _with_gaps_filled(text, _located(text, pieces))


def _located(text: str, pieces: Sequence[str]) -> list[tuple[int, int] | None]:
    folded, cursor = _folded(text), 0
    spans: list[tuple[int, int] | None] = []
    for piece in pieces:
        letters = _folded(_without_marks(piece))
        start = folded.find(letters, cursor, cursor + len(letters) + _FAR) if letters else -1
        spans.append((start, start + len(letters)) if start >= 0 else None)
        cursor = cursor if start < 0 else start + len(letters)
    return spans


def _with_gaps_filled(text: str, spans: Sequence[tuple[int, int] | None]) -> Ints:
    """Every gap given to the sub-words that were not found beside it."""
    filled_spans: list[tuple[int, int]] = []
    last = 0
    for index, span in enumerate(spans):
        if span is None:
            next_located = next(
                (next_span for next_span in spans[index:] if next_span is not None), None
            )
            # An unknown sub-word stands for whatever lies between its neighbours, blanks aside.
            gap = text[last : next_located[0] if next_located else len(text)]
            first = last + len(gap) - len(gap.lstrip())
            filled_spans.append((first, first + len(gap.strip())))
            continue
        filled_spans.append(span)
        last = span[1]
    return np.array(filled_spans, dtype=np.int32).reshape(-1, 2)


def _without_marks(piece: str) -> str:
    for mark in _MARKS:
        piece = piece.replace(mark, "")
    return piece


def _folded(text: str) -> str:
    """In small letters, as long as before."""
    return "".join(
        lowered if len(lowered := character.lower()) == 1 else character for character in text
    )
