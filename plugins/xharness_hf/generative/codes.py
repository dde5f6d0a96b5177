"""Language codes: the special that says what a text is in, told apart by watching the frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from xharness import ConfigurationError
from xharness_hf.backbone.batch import Ints
from xharness_hf.config.configuration import CODED
from xharness_hf.config.language_codes import code_of, is_code

_SOURCE_FIRST = frozenset({"m2m_100", "nllb-moe"})
"""Families that were trained with the code of what is read before it."""


class TokenizerLanguageCodes:
    """The codes of a tokenizer: `own` stands in the frame as it is watched, None where none does.

    Raises:
        ConfigurationError: codes are `given`, and none stands in the frame.
    """

    def __init__(
        self, family: str, tokenizer: Any, before: Ints, after: Ints, given: Mapping[str, str]
    ) -> None:
        self._tokenizer, self._given = tokenizer, given
        self._before, self._after = before, after
        around = [*before.tolist(), *after.tolist()] if family in CODED else []
        self.own = next((one for one in around if self.has(one)), None)
        self._first = family in _SOURCE_FIRST and not tokenizer.init_kwargs.get("legacy_behaviour")
        if given and self.own is None:
            raise ConfigurationError(
                f"'{family}' has no codes for languages", hint="leave out 'codes'"
            )

    @property
    def frame(self) -> tuple[Ints, Ints]:
        """The specials around a text; a code goes where the model read it when it was trained.

        NLLB's stands before the text (NLLB Team et al. 2022, section 6.1.1), whatever an older
        tokenizer.json says, unless the tokenizer is set to its `legacy_behaviour`.
        """
        if self.own is None or not self._first:
            return self._before, self._after
        own = np.array([self.own], dtype=np.int32)
        return own, self._after[self._after != self.own]

    def has(self, special: int) -> bool:
        """Whether a special is the code of a language."""
        return is_code(str(self._tokenizer.convert_ids_to_tokens(special)))

    def opening(self, start: int | None) -> list[int]:
        """What a decoder begins with: its own start if that is not a code itself, and the code.

        mBART-25 begins with the code alone, mBART-50, M2M100 and NLLB with an end of text.
        """
        assert self.own is not None
        return [self.own] if start is None or self.has(start) else [start, self.own]

    def spoken(self, ids: Ints, language: str) -> Ints:
        """`ids` with the code of `language` in place of the frame's own.

        Raises:
            ConfigurationError: the model has no code for it.
        """
        if self.own is None:
            return ids
        code = self._tokenizer.convert_tokens_to_ids(code_of(language, self._tokens, self._given))
        return np.where(ids == self.own, code, ids).astype(np.int32)

    @cached_property
    def _tokens(self) -> frozenset[str]:
        """All specials; M2M100's slow tokenizer does not count its codes among them."""
        tokenizer = self._tokenizer
        slow = getattr(tokenizer, "lang_code_to_token", {}).values()
        return frozenset((*tokenizer.all_special_tokens, *tokenizer.get_added_vocab(), *slow))
