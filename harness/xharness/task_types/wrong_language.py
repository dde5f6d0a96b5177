"""The wrong-language rate: how many written answers are not in the language of the question.

Models that were trained on English answers tend to go on answering in English (Vu et al. 2022,
arXiv 2205.12647; Chirkova et al. 2023, arXiv 2310.09917). An answer that stands in the question or
the context is in their language by definition; any other is given to the identifier, which
chooses among the languages of the card.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Protocol

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Metric, Prediction, ratio


class _Question(Protocol):
    @property
    def question(self) -> str: ...

    @property
    def context(self) -> str: ...


def _item(
    example: _Question, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float]:
    """(wrong, n); an answer without letters, or in a language nobody can tell, does not count."""
    answer = str(prediction).strip()
    if not any(letter.isalpha() for letter in answer) or language not in _known():
        return 0.0, 0.0
    if answer in example.context or answer in example.question:
        return 0.0, 1.0
    candidates = frozenset({language, "en", *card.languages} & _known())
    return float(identified(answer, candidates) != language), 1.0


@lru_cache(maxsize=4096)
def identified(text: str, candidates: frozenset[str]) -> str:
    """The likeliest of the candidate languages (langid.py, by py3langid)."""
    identifier = _identifier()
    identifier.set_languages(sorted(candidates))
    language, _ = identifier.classify(text)
    return str(language)


@cache
def _identifier() -> Any:
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)


@cache
def _known() -> frozenset[str]:
    identifier = _identifier()
    identifier.set_languages(None)
    return frozenset(identifier.nb_classes)


WRONG_LANGUAGE = Metric(
    "wrong_language",
    ("wrong", "n"),
    _item,
    ratio,
    "share of written answers in another language than the question's",
    lower_is_better=True,
    generated_only=True,
)
