"""Tokens: a tokenizer as the harness uses it, fast or slow.

Texts are spelled without specials and framed here, so that windows, splits and masks are cut from
the same ids for every tokenizer. The frame is observed: a tokenizer shows it in any text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from transformers import PreTrainedTokenizerFast

from xharness_hf.backbone.alignment import offsets
from xharness_hf.backbone.batch import Ints, Window, joined

_BLOCK = 2048  # texts per call


@dataclass(frozen=True)
class SpecialTokenFrame:
    """The specials around one text and around two."""

    prefix: Ints
    suffix: Ints
    pair_prefix: Ints
    separator: Ints
    pair_suffix: Ints


class Tokens:
    """Spells texts as sub-word ids and frames them for a backbone."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, *, causal: bool) -> None:
        self.tokenizer, self.causal = tokenizer, causal
        self._filler = _first_id(tokenizer.unk_token_id, tokenizer.eos_token_id, 0)
        self.pad = _first_id(tokenizer.pad_token_id, tokenizer.eos_token_id, self._filler)
        self.mask: int | None = tokenizer.mask_token_id
        self.frame = _observed_frame(tokenizer, causal)
        # it is observed by spelling words, which needs an empty one first
        self._word_prefix = ""
        self._word_prefix = _word_prefix(self)

    @cached_property
    def size(self) -> int:
        """How many sub-words there are; CANINE's million characters take a while to count."""
        return len(self.tokenizer)

    @property
    def skip(self) -> int:
        """Sub-words before the text."""
        return len(self.frame.prefix)

    def ids(self, texts: Sequence[str]) -> list[Ints]:
        """The sub-words of each text, specials left out."""
        ids_by_text: list[Ints] = []
        for first in range(0, len(texts), _BLOCK):
            rows = self._rows(list(texts[first : first + _BLOCK]))
            ids_by_text += [np.array(row, dtype=np.int32) for row in rows]
        return ids_by_text

    def _rows(self, texts: list[str]) -> Iterable[list[int]]:
        tokenizer = self.tokenizer
        # What transformers makes of each text beside its ids takes as long as spelling a word.
        if type(tokenizer)._encode_plus is not PreTrainedTokenizerFast._encode_plus:
            rows: Iterable[list[int]] = self._call(texts)["input_ids"]
            return rows
        backend = tokenizer.backend_tokenizer
        backend.no_truncation()
        backend.no_padding()
        return (row.ids for row in backend.encode_batch_fast(texts, add_special_tokens=False))

    def ids_with_offsets(self, texts: Sequence[str]) -> list[tuple[Ints, Ints]]:
        """Like `ids`, each with its sub-words' (start, end) characters of shape (n, 2)."""
        if not self.tokenizer.is_fast:
            return [
                (ids, self._aligned_offsets(text, ids))
                for text, ids in zip(texts, self.ids(texts), strict=True)
            ]
        spelled_texts: list[tuple[Ints, Ints]] = []
        for first in range(0, len(texts), _BLOCK):
            encoded = self._call(list(texts[first : first + _BLOCK]), return_offsets_mapping=True)
            for row, spans in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
                offsets = np.array(spans, dtype=np.int32).reshape(-1, 2)
                spelled_texts.append((np.array(row, dtype=np.int32), offsets))
        return spelled_texts

    def _aligned_offsets(self, text: str, ids: Ints) -> Ints:
        return offsets(text, self.tokenizer.convert_ids_to_tokens(ids.tolist()))

    def word_ids(self, words: Iterable[str]) -> dict[str, Ints]:
        """The sub-words of each distinct word as it stands inside a sentence, at least one.

        A word of which the tokenizer leaves nothing (a stray control character) is one unknown
        sub-word, so that it still gets a tag.
        """
        # sentences repeat their words: each is spelled once
        distinct = list(dict.fromkeys(words))
        spelled = self.ids([self._word_prefix + word for word in distinct])
        unknown = np.array([self._filler], dtype=np.int32)
        return {
            word: ids if len(ids) else unknown for word, ids in zip(distinct, spelled, strict=True)
        }

    def single(self, ids: Ints, limit: int) -> Window:
        """One text with its specials, cut to `limit` sub-words in all."""
        frame = self.frame
        room = max(limit - len(frame.prefix) - len(frame.suffix), 1)
        framed = joined((frame.prefix, ids[:room], frame.suffix))
        if not len(framed):
            framed = np.array([self._filler], dtype=np.int32)
        return Window(framed, len(framed))

    def pair(self, first: Ints, second: Ints, limit: int) -> Window:
        """Two texts with their specials; the longer one is cut first."""
        frame = self.frame
        first, second = shorten(first, second, max(limit - self.pair_specials, 2))
        head = joined((frame.pair_prefix, first, frame.separator))
        return Window(joined((head, second, frame.pair_suffix)), len(head))

    @property
    def pair_specials(self) -> int:
        """How many specials `pair` adds."""
        frame = self.frame
        return len(frame.pair_prefix) + len(frame.separator) + len(frame.pair_suffix)

    def _call(self, texts: list[str], **options: Any) -> dict[str, Any]:
        encoded: Any = self.tokenizer(
            texts,
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            # Else it warns of long texts, which are cut or split only after this.
            verbose=False,
            **options,
        )
        return dict(encoded)


def shorten(first: Ints, second: Ints, room: int) -> tuple[Ints, Ints]:
    """Both cut to `room` together, the longer one until they are equally long."""
    excess = len(first) + len(second) - room
    # As transformers' `longest_first` does, one sub-word at a time.
    if excess <= 0:
        return first, second
    short = min(len(first), len(second), room // 2)
    if len(first) <= len(second):
        return first[:short], second[: room - short]
    return first[: room - short], second[:short]


def _first_id(*candidates: int | None) -> int:
    return next(candidate for candidate in candidates if candidate is not None)


def _observed_frame(tokenizer: PreTrainedTokenizerFast, causal: bool) -> SpecialTokenFrame:
    """The frame a tokenizer uses; decoders get an anchor and a newline where theirs is bare.

    A decoder's first state draws most attention and has a huge norm whatever stands there (Xiao
    et al. 2024, attention sinks). Where the tokenizer puts no BOS in that place an end-of-text
    goes there, so that no word has to serve; mean pooling leaves it out.
    """
    # any text shows the frame, if its own sub-words are found inside
    single_frame, pair_frame = specials(tokenizer, "a"), specials(tokenizer, "a", "b")
    prefix, suffix = single_frame[0], single_frame[-1]
    pair_prefix, separator, pair_suffix = pair_frame
    anchor = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else (
        tokenizer.eos_token_id
    )  # fmt: skip
    if causal and not len(prefix) and anchor is not None:
        prefix = np.array([anchor], dtype=np.int32)
    # a decoder reads both as one text: an end in between would separate them
    if causal:
        pair_prefix, separator, pair_suffix = prefix, separator[:0], suffix
    if not len(separator):
        newline = tokenizer("\n", add_special_tokens=False)["input_ids"]
        ends = [
            special
            for special in (tokenizer.sep_token_id, tokenizer.eos_token_id)
            if special is not None
        ]
        separator = np.array(newline or ends[:1], dtype=np.int32)
    return SpecialTokenFrame(prefix, suffix, pair_prefix, separator, pair_suffix)


def specials(tokenizer: PreTrainedTokenizerFast, *texts: str) -> list[Ints]:
    """The ids that a tokenizer puts before, between and after texts."""
    encoded: Any = tokenizer(*texts)
    ids = list(encoded["input_ids"])
    parts, cursor = [], 0
    for text in texts:
        text_ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        start = next(
            (
                start
                for start in range(cursor, len(ids))
                if text_ids and ids[start : start + len(text_ids)] == text_ids
            ),
            cursor,
        )
        parts.append(np.array(ids[cursor:start], dtype=np.int32))
        cursor = start + len(text_ids)
    return [*parts, np.array(ids[cursor:], dtype=np.int32)]


def _word_prefix(tokens: Tokens) -> str:
    """What must precede a lone word to spell it as inside a sentence: a blank, or nothing.

    Byte-level tokenizers without `add_prefix_space` and Gemma's spell ' cat' and 'cat' apart.
    """
    sentence_ids, word_ids, spaced_ids = (
        list(ids) for ids in tokens.ids(["the cat", "cat", " cat"])
    )
    if word_ids and sentence_ids[-len(word_ids) :] == word_ids:
        return ""
    return " " if spaced_ids and sentence_ids[-len(spaced_ids) :] == spaced_ids else ""
