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

_NONE: Mapping[str, str] = {}


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
        writer: LanguageModel,
        tokens: Tokens,
        *,
        closed: bool,
        codes: Mapping[str, str] = _NONE,
    ) -> None:
        self._paired, self._tokens = writer.paired, tokens
        family = str(writer.module.config.model_type)
        before, after = specials(tokens.tokenizer, "a")
        self._codes = TokenizerLanguageCodes(family, tokens.tokenizer, before, after, codes)
        self.before, self.after = self._codes.frame
        self._ends = self._end(closed)
        self._start = self._decoder_start(writer)

    def spoken(self, language: str | None) -> PromptEncoder:
        """The same for items of a language: read and answered with its code, if there are any.

        Raises:
            ConfigurationError: the model has codes, and none for it.
        """
        if language is None or self._codes.own is None:
            return self
        found = copy(self)
        found.before = self._codes.spoken(self.before, language)
        found.after = self._codes.spoken(self.after, language)
        found._start = self._codes.spoken(self._start, language)
        return found

    @property
    def extra(self) -> int:
        """Specials around a prompt."""
        return len(self.before) + (len(self.after) if self._paired else 0)

    @property
    def opening(self) -> Ints:
        """What a decoder beside an encoder has written before it answers."""
        return self._start

    def count(self, text: str) -> int:
        """Sub-words of a text."""
        return len(self._tokens.ids([text])[0])

    def source(self, prompt: str) -> Ints:
        """A prompt with its specials, as it is read."""
        (ids,) = self._tokens.ids([prompt])
        found = joined((self.before, ids, self.after if self._paired else self.after[:0]))
        return found if len(found) else np.array([self._tokens.pad], dtype=np.int32)

    def feature(self, place: int, prompt: str, separator: str, answers: Sequence[str]) -> Feature:
        """One feature: a prompt with each of its answers; what is read alike is read once."""
        if self._paired:
            spelled = [(self._start, ids) for ids in self._tokens.ids(list(answers))]
            first: list[Window] = [_window(self.source(prompt))]
        else:
            spelled, first = [*self._together(prompt, separator, answers)], []
        windows: dict[bytes, int] = {}
        kept, said = first, []
        for known, ids in spelled:
            whole = joined((ids, self._ends))
            read = joined((known, whole[:-1]))
            if read.tobytes() not in windows:
                windows[read.tobytes()] = len(kept)
                kept.append(_window(read))
            said.append(AnswerTokens(windows[read.tobytes()], len(known) - 1, whole))
        return Feature(tuple(kept), place, tuple(said))

    def _together(
        self, prompt: str, separator: str, answers: Sequence[str]
    ) -> Iterable[tuple[Ints, Ints]]:
        stripped = prompt.rstrip()
        led = [prompt[len(stripped) :] + separator + answer for answer in answers]
        alone, *wholes = self._tokens.ids([stripped, *(stripped + text for text in led)])
        for whole, text in zip(wholes, led, strict=True):
            ids = whole[len(alone) :]
            known = self.source(stripped)
            yield known, ids if len(ids) else self._tokens.ids([text])[0]

    def _end(self, closed: bool) -> Ints:
        end = self._tokens.tokenizer.eos_token_id
        ends = self.after[:1] if self._paired and len(self.after) else [end] * (end is not None)
        return np.array(ends if closed else [], dtype=np.int32)

    def _decoder_start(self, writer: LanguageModel) -> Ints:
        """The decoder's first sub-words."""
        if not self._paired:
            return self.before[:0]
        start = getattr(writer.module.config, "decoder_start_token_id", None)
        if self._codes.own is not None:
            return np.array(self._codes.opening(start), dtype=np.int32)
        first = self.after[-1] if start is None else start
        return joined((np.array([first], dtype=np.int32), self.before))


def _window(ids: Ints) -> Window:
    return Window(ids, len(ids))
