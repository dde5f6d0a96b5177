"""How items are put into words, for models that read and write text and have no head."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import Field, PrivateAttr, model_validator

from xharness.spec.fields import Strict
from xharness.spec.languages import LanguageCode

_FIELD = re.compile(r"\{(\w+)\}")


class PromptWording(Strict):
    """What of a verbalizer differs in one language."""

    prompt: str | None = Field(default=None, description="a template over the task type's fields")
    answers: dict[str, str] = Field(default={}, description="words for each label")
    replace: dict[str, str] = Field(
        default={}, description="regular expressions, replaced in the prompt one after another"
    )

    @model_validator(mode="after")
    def _patterns_compile(self) -> PromptWording:
        for pattern in self.replace:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"'{pattern}' is no regular expression: {error}") from None
        return self


class Verbalizer(PromptWording):
    """How items are put into words.

    The answer follows the prompt and `target_delimiter`. Classification answers with `answers`,
    multiple choice with its choices, extractive questions with what the model writes.
    """

    prompt: str = Field(description="a template over the task type's fields: '{question} Answer:'")
    target_delimiter: str = Field(default=" ", description="between prompt and answer")
    fewshot_delimiter: str = Field(default="\n\n", description="between examples and the question")
    lowercase: bool = Field(default=False, description="answers begin with a small letter")
    languages: dict[LanguageCode, PromptWording] = Field(
        default={}, description="what differs in a language"
    )
    # Private, so that it enters neither the schema nor a digest: the data says it, not the card.
    _language: str | None = PrivateAttr(default=None)

    @property
    def language(self) -> str | None:
        """The language of the items, whatever that of the prompt; None before `in_language`."""
        return self._language

    def in_language(self, language: str) -> Verbalizer:
        """The verbalizer of one language, in which nothing differs any more."""
        wording = self.languages.get(language, PromptWording())
        verbalizer = self.model_copy(
            update={
                "prompt": wording.prompt if wording.prompt is not None else self.prompt,
                "answers": {**self.answers, **wording.answers},
                "replace": {**self.replace, **wording.replace},
                "languages": {},
            }
        )
        verbalizer._language = language
        return verbalizer

    def prompt_text(self, fields: Mapping[str, str]) -> str:
        """What stands before the delimiter and the answer, each `{field}` filled in."""
        text = _filled(self.prompt, fields)
        for pattern, replacement in self.replace.items():
            text = re.sub(pattern, replacement, text)
        return text

    def answer_text(self, label: str, fields: Mapping[str, str]) -> str:
        """The words for a label."""
        return _filled(self.answers[label], fields)

    @property
    def wordings(self) -> tuple[PromptWording, ...]:
        """Its own and that of each language."""
        return (self, *self.languages.values())


def _filled(template: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda match: fields.get(match[1], match[0]), template)
