"""Tokens: a tokenizer as the harness uses it, fast or slow.

Texts are spelled without specials and framed here, so that windows, splits and masks are cut from
the same ids for every tokenizer. The frame is learnt by watching the tokenizer at work.
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

    before: Ints
    after: Ints
    pair_before: Ints
    between: Ints
    pair_after: Ints


class Tokens:
    """Spells texts as sub-word ids and frames them for a backbone."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, *, causal: bool) -> None:
        self.tokenizer, self.causal = tokenizer, causal
        self._filler = _first(tokenizer.unk_token_id, tokenizer.eos_token_id, 0)
        self.pad = _first(tokenizer.pad_token_id, tokenizer.eos_token_id, self._filler)
        self.mask: int | None = tokenizer.mask_token_id
        self.frame = _watch(tokenizer, causal)
        self._lead = ""
        self._lead = _lead(self)

    @cached_property
    def size(self) -> int:
        """How many sub-words there are; CANINE's million characters take a while to count."""
        return len(self.tokenizer)

    @property
    def skip(self) -> int:
        """Sub-words before the text."""
        return len(self.frame.before)

    def ids(self, texts: Sequence[str]) -> list[Ints]:
        """The sub-words of each text, specials left out."""
        found: list[Ints] = []
        for first in range(0, len(texts), _BLOCK):
            rows = self._call(list(texts[first : first + _BLOCK]))["input_ids"]
            found += [np.array(row, dtype=np.int32) for row in rows]
        return found

    def spelled(self, texts: Sequence[str]) -> list[tuple[Ints, Ints]]:
        """Like `ids`, each with its sub-words' (start, end) characters of shape (n, 2)."""
        if not self.tokenizer.is_fast:
            return [
                (ids, self._aligned(text, ids))
                for text, ids in zip(texts, self.ids(texts), strict=True)
            ]
        found: list[tuple[Ints, Ints]] = []
        for first in range(0, len(texts), _BLOCK):
            said = self._call(list(texts[first : first + _BLOCK]), return_offsets_mapping=True)
            for row, spans in zip(said["input_ids"], said["offset_mapping"], strict=True):
                places = np.array(spans, dtype=np.int32).reshape(-1, 2)
                found.append((np.array(row, dtype=np.int32), places))
        return found

    def _aligned(self, text: str, ids: Ints) -> Ints:
        return offsets(text, self.tokenizer.convert_ids_to_tokens(ids.tolist()))

    def words(self, words: Iterable[str]) -> dict[str, Ints]:
        """The sub-words of each distinct word as it stands inside a sentence, at least one.

        A word of which the tokenizer leaves nothing (a stray control character) is one unknown
        sub-word, so that it still gets a tag.
        """
        distinct = list(dict.fromkeys(words))
        spelled = self.ids([self._lead + word for word in distinct])
        unknown = np.array([self._filler], dtype=np.int32)
        return {
            word: ids if len(ids) else unknown for word, ids in zip(distinct, spelled, strict=True)
        }

    def single(self, ids: Ints, limit: int) -> Window:
        """One text with its specials, cut to `limit` sub-words in all."""
        frame = self.frame
        room = max(limit - len(frame.before) - len(frame.after), 1)
        whole = joined((frame.before, ids[:room], frame.after))
        if not len(whole):
            whole = np.array([self._filler], dtype=np.int32)
        return Window(whole, len(whole))

    def pair(self, first: Ints, second: Ints, limit: int) -> Window:
        """Two texts with their specials; the longer one is cut first."""
        frame = self.frame
        first, second = shorten(first, second, max(limit - self.pair_specials, 2))
        head = joined((frame.pair_before, first, frame.between))
        return Window(joined((head, second, frame.pair_after)), len(head))

    @property
    def pair_specials(self) -> int:
        """How many specials `pair` adds."""
        frame = self.frame
        return len(frame.pair_before) + len(frame.between) + len(frame.pair_after)

    def _call(self, texts: list[str], **more: Any) -> dict[str, Any]:
        said: Any = self.tokenizer(
            texts,
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
            **more,
        )
        return dict(said)


def shorten(first: Ints, second: Ints, room: int) -> tuple[Ints, Ints]:
    """Both cut to `room` together, the longer one until they are equally long."""
    excess = len(first) + len(second) - room
    if excess <= 0:
        return first, second
    short = min(len(first), len(second), room // 2)
    if len(first) <= len(second):
        return first[:short], second[: room - short]
    return first[: room - short], second[:short]


def _first(*candidates: int | None) -> int:
    return next(one for one in candidates if one is not None)


def _watch(tokenizer: PreTrainedTokenizerFast, causal: bool) -> SpecialTokenFrame:
    """The frame a tokenizer uses; decoders get an anchor and a newline where theirs is bare.

    A decoder's first state draws most attention and has a huge norm whatever stands there (Xiao
    et al. 2024, attention sinks). Where the tokenizer puts no BOS in that place an end-of-text
    goes there, so that no word has to serve; mean pooling leaves it out.
    """
    alone, both = specials(tokenizer, "a"), specials(tokenizer, "a", "b")
    before, after = alone[0], alone[-1]
    pair_before, between, pair_after = both
    anchor = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else (
        tokenizer.eos_token_id
    )  # fmt: skip
    if causal and not len(before) and anchor is not None:
        before = np.array([anchor], dtype=np.int32)
    if causal:
        pair_before, between, pair_after = before, between[:0], after
    if not len(between):
        newline = tokenizer("\n", add_special_tokens=False)["input_ids"]
        ends = [one for one in (tokenizer.sep_token_id, tokenizer.eos_token_id) if one is not None]
        between = np.array(newline or ends[:1], dtype=np.int32)
    return SpecialTokenFrame(before, after, pair_before, between, pair_after)


def specials(tokenizer: PreTrainedTokenizerFast, *texts: str) -> list[Ints]:
    """The ids that a tokenizer puts before, between and after texts."""
    said: Any = tokenizer(*texts)
    ids = list(said["input_ids"])
    parts, cursor = [], 0
    for text in texts:
        own = list(tokenizer(text, add_special_tokens=False)["input_ids"])
        first = next(
            (at for at in range(cursor, len(ids)) if own and ids[at : at + len(own)] == own), cursor
        )
        parts.append(np.array(ids[cursor:first], dtype=np.int32))
        cursor = first + len(own)
    return [*parts, np.array(ids[cursor:], dtype=np.int32)]


def _lead(tokens: Tokens) -> str:
    """What must precede a lone word to spell it as inside a sentence: a blank, or nothing.

    Byte-level tokenizers without `add_prefix_space` and Gemma's spell ' cat' and 'cat' apart.
    """
    inside, bare, led = (list(ids) for ids in tokens.ids(["the cat", "cat", " cat"]))
    if bare and inside[-len(bare) :] == bare:
        return ""
    return " " if led and inside[-len(led) :] == led else ""
