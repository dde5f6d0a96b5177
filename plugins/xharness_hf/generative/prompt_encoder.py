"""How questions and answers are spelled for a language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from xharness_hf.backbone.batch import Feature, Ints, Window, joined
from xharness_hf.backbone.tokens import Tokens, specials
from xharness_hf.generative.codes import TokenizerLanguageCodes
from xharness_hf.generative.language_model import LanguageModel

_NO_CODES: Mapping[str, str] = {}


@dataclass(frozen=True)
class AnswerTokens:
    """An answer's sub-words: the state at `first` of window `row` tells the first of them."""

    row: int
    first: int
    ids: Ints


class PromptEncoder:
    """Cuts prompt and answer where lm-evaluation-harness does.

    A decoder spells both together and the answer begins after as many sub-words as the prompt
    alone has; blanks at the prompt's end belong to the answer. An encoder-decoder spells them
    apart. `closed`: an answer ends with the model's end of text. `codes`: what the model calls
    languages where that cannot be guessed.

    Raises:
        ConfigurationError: codes are given, and the model has none.
    """

    def __init__(
        self,
        model: LanguageModel,
        tokens: Tokens,
        *,
        closed: bool,
        codes: Mapping[str, str] = _NO_CODES,
    ) -> None:
        self._is_encoder_decoder, self._tokens = model.is_encoder_decoder, tokens
        family = str(model.module.config.model_type)
        prefix, suffix = specials(tokens.tokenizer, "a")
        self._codes = TokenizerLanguageCodes(family, tokens.tokenizer, prefix, suffix, codes)
        self.prefix, self.suffix = self._codes.frame
        self._end_ids = self._answer_end(closed)
        self._decoder_prefix = self._decoder_start(model)

    def in_language(self, language: str | None) -> PromptEncoder:
        """The same for items of a language: read and answered with its code, if there are any.

        Raises:
            ConfigurationError: the model has codes, and none for it.
        """
        if language is None or self._codes.frame_code is None:
            return self
        encoder = copy(self)
        encoder.prefix = self._codes.in_language(self.prefix, language)
        encoder.suffix = self._codes.in_language(self.suffix, language)
        encoder._decoder_prefix = self._codes.in_language(self._decoder_prefix, language)
        return encoder

    @property
    def num_specials(self) -> int:
        """Specials around a prompt."""
        return len(self.prefix) + (len(self.suffix) if self._is_encoder_decoder else 0)

    @property
    def decoder_prefix(self) -> Ints:
        """What a decoder beside an encoder has written before it answers."""
        return self._decoder_prefix

    def count(self, text: str) -> int:
        """Sub-words of a text."""
        return len(self._tokens.ids([text])[0])

    def source_ids(self, prompt: str) -> Ints:
        """A prompt with its specials, as it is read."""
        (ids,) = self._tokens.ids([prompt])
        framed = joined(
            (self.prefix, ids, self.suffix if self._is_encoder_decoder else self.suffix[:0])
        )
        # an empty prompt needs one position to predict from
        return framed if len(framed) else np.array([self._tokens.pad], dtype=np.int32)

    def feature(self, index: int, prompt: str, separator: str, answers: Sequence[str]) -> Feature:
        """One feature: a prompt with each of its answers; what is read alike is read once."""
        if self._is_encoder_decoder:
            encoded = [(self._decoder_prefix, ids) for ids in self._tokens.ids(list(answers))]
            source_windows: list[Window] = [_window(self.source_ids(prompt))]
        else:
            encoded, source_windows = [*self._spelled_together(prompt, separator, answers)], []
        row_of_window: dict[bytes, int] = {}
        windows, answer_tokens = source_windows, []
        for context, ids in encoded:
            answer_ids = joined((ids, self._end_ids))
            input_ids = joined((context, answer_ids[:-1]))
            if input_ids.tobytes() not in row_of_window:
                row_of_window[input_ids.tobytes()] = len(windows)
                windows.append(_window(input_ids))
            answer_tokens.append(
                AnswerTokens(row_of_window[input_ids.tobytes()], len(context) - 1, answer_ids)
            )
        return Feature(tuple(windows), index, tuple(answer_tokens))

    def _spelled_together(
        self, prompt: str, separator: str, answers: Sequence[str]
    ) -> Iterable[tuple[Ints, Ints]]:
        """A decoder's prompt with its specials, and the sub-words of each answer behind it."""
        # most vocabularies join a blank to the word behind it
        stripped = prompt.rstrip()
        continuations = [prompt[len(stripped) :] + separator + answer for answer in answers]
        prompt_ids, *joint_ids = self._tokens.ids(
            [stripped, *(stripped + text for text in continuations)]
        )
        for joint, text in zip(joint_ids, continuations, strict=True):
            ids = joint[len(prompt_ids) :]
            context = self.source_ids(stripped)
            yield context, ids if len(ids) else self._tokens.ids([text])[0]

    def _answer_end(self, closed: bool) -> Ints:
        """What stands behind every answer: the end of text, or nothing."""
        end = self._tokens.tokenizer.eos_token_id
        # an encoder-decoder's frame tells the end that it was trained with
        ends = (
            self.suffix[:1]
            if self._is_encoder_decoder and len(self.suffix)
            else [end] * (end is not None)
        )
        return np.array(ends if closed else [], dtype=np.int32)

    def _decoder_start(self, model: LanguageModel) -> Ints:
        """The decoder's first sub-words."""
        if not self._is_encoder_decoder:
            return self.prefix[:0]
        start = getattr(model.module.config, "decoder_start_token_id", None)
        if self._codes.frame_code is not None:
            return np.array(self._codes.decoder_prefix(start), dtype=np.int32)
        first = self.suffix[-1] if start is None else start
        return joined((np.array([first], dtype=np.int32), self.prefix))


def _window(ids: Ints) -> Window:
    return Window(ids, len(ids))
