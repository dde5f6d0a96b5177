"""When an answer passes a check, as the code of MultiCheckList defines it.

Ruder et al. 2021 (XTREME-R), section 3.3, `multichecklist/generate_test_utils.py`: articles of the
language become blanks, some punctuation is stripped at both ends, the rest must be equal, case
included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Metric, Prediction, ratio

_WORDS = {
    "de": "ein eine einen", "el": "Ο ένα μια", "en": "a an the in at",
    "es": "un una unos unas el la los las", "eu": "bat", "fa": "یک", "fr": "un une le la en",
    "hu": "egy", "it": "un una", "nl": "een", "pt": "um uma", "tl": "Si", "tr": "bir", "vi": "một",
    "wo": "dafa", "yo": "kan",
}  # fmt: skip
_BEGINNINGS = {
    "bn": "একটি একজন", "hi": "एक", "ml": "ഒരു", "mr": "एक", "my": "တစ်ဦး", "pa": "ਇੱਕ ਇਕ",
    "ta": "ஒரு",
}  # fmt: skip
_ARTICLES = MappingProxyType(
    {code: rf"\b(?:{'|'.join(words.split())})\b" for code, words in _WORDS.items()}
    | {code: rf"\b(?:{'|'.join(words.split())})" for code, words in _BEGINNINGS.items()}
    | {"af": r"’n\b", "ar": "ال"}
)
"""Whole words; beginnings of words in scripts where the article is written on; wherever it is."""
_PUNCTUATION = ",. "
_MORE_PUNCTUATION = {"bn": "\u09f7", "hi": "\u09f7", "pa": "\u0964", "pl": "„”", "ur": "\u200f"}


@lru_cache(maxsize=8192)
def cleaned(text: str, language: str) -> str:
    """An answer without articles, and without punctuation at its ends."""
    articles = _ARTICLES.get(language)
    bare = re.sub(articles, " ", text) if articles else text
    return bare.strip(_PUNCTUATION + _MORE_PUNCTUATION.get(language, ""))


def _passes(example: Any, prediction: Prediction, language: str) -> bool:
    """Whether every part is answered rightly: CheckList's rule for a case of several."""
    return all(
        cleaned(given, language) in {cleaned(gold.text, language) for gold in part.answers}
        for part, given in zip(example.parts, prediction, strict=True)
    )


def _share(name: str, about: str, *, of_passed: bool) -> Metric:
    def item(
        example: Any, prediction: Prediction, card: TaskCard, language: str
    ) -> tuple[float, float]:
        return float(_passes(example, prediction, language) == of_passed), 1.0

    return Metric(name, ("cases", "n"), item, ratio, about, lower_is_better=not of_passed)


_PASS_RATE = _share("pass_rate", "share of cases with every answer right", of_passed=True)
_ERROR_RATE = _share(
    "error_rate",
    "share of cases with a wrong answer, as MultiCheckList reports it",
    of_passed=False,
)
METRICS: Mapping[str, Metric] = MappingProxyType(
    {metric.name: metric for metric in (_PASS_RATE, _ERROR_RATE)}
)
