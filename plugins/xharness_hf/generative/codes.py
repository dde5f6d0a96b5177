"""Language codes: the special that says what a text is in, observed in the frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from xharness import ConfigurationError
from xharness_hf.backbone.batch import Ints
from xharness_hf.config.configuration import LANGUAGE_CODED
from xharness_hf.config.language_codes import code_of, is_code

_SOURCE_FIRST = frozenset({"m2m_100", "nllb-moe"})
"""Families that were trained with the code of what is read before it.

A list, since the tokenizers of older releases put it behind: nothing in a folder tells.
"""


class TokenizerLanguageCodes:
    """The codes of a tokenizer: `frame_code` is the one in the frame as observed, or None.

    Raises:
        ConfigurationError: `codes_by_language` has some, and none stands in the frame.
    """

    def __init__(
        self,
        family: str,
        tokenizer: Any,
        prefix: Ints,
        suffix: Ints,
        codes_by_language: Mapping[str, str],
    ) -> None:
        self._tokenizer, self._codes_by_language = tokenizer, codes_by_language
        self._prefix, self._suffix = prefix, suffix
        # Of families known for codes alone: any special of another may look like one.
        frame_specials = [*prefix.tolist(), *suffix.tolist()] if family in LANGUAGE_CODED else []
        self.frame_code = next(
            (special for special in frame_specials if self.is_language_code(special)), None
        )
        self._code_first = family in _SOURCE_FIRST and not tokenizer.init_kwargs.get(
            "legacy_behaviour"
        )
        if codes_by_language and self.frame_code is None:
            raise ConfigurationError(
                f"'{family}' has no codes for languages", hint="leave out 'language_codes'"
            )

    @property
    def frame(self) -> tuple[Ints, Ints]:
        """The specials around a text; a code goes where the model read it when it was trained.

        NLLB's stands before the text (NLLB Team et al. 2022, section 6.1.1), whatever an older
        tokenizer.json says, unless the tokenizer is set to its `legacy_behaviour`.
        """
        if self.frame_code is None or not self._code_first:
            return self._prefix, self._suffix
        code = np.array([self.frame_code], dtype=np.int32)
        return code, self._suffix[self._suffix != self.frame_code]

    def is_language_code(self, special: int) -> bool:
        """Whether a special is the code of a language."""
        return is_code(str(self._tokenizer.convert_ids_to_tokens(special)))

    def decoder_prefix(self, start: int | None) -> list[int]:
        """What a decoder begins with: its own start if that is not a code itself, and the code.

        mBART-25 begins with the code alone, mBART-50, M2M100 and NLLB with an end of text.
        """
        assert self.frame_code is not None
        return (
            [self.frame_code]
            if start is None or self.is_language_code(start)
            else [start, self.frame_code]
        )

    def in_language(self, ids: Ints, language: str) -> Ints:
        """`ids` with the code of `language` in place of the frame's own.

        Raises:
            ConfigurationError: the model has no code for it.
        """
        if self.frame_code is None:
            return ids
        code = self._tokenizer.convert_tokens_to_ids(
            code_of(language, self._special_tokens, self._codes_by_language)
        )
        return np.where(ids == self.frame_code, code, ids).astype(np.int32)

    @cached_property
    def _special_tokens(self) -> frozenset[str]:
        """All specials; M2M100's slow tokenizer does not count its codes among them."""
        tokenizer = self._tokenizer
        slow_codes = getattr(tokenizer, "lang_code_to_token", {}).values()
        return frozenset((*tokenizer.all_special_tokens, *tokenizer.get_added_vocab(), *slow_codes))
