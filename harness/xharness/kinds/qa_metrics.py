"""Exact match and F1 of answers, as the SQuAD 1.1 and MLQA scripts define them.

SQuAD: Rajpurkar et al. 2016, `evaluate-v1.1.py`. MLQA: Lewis et al. 2020,
`mlqa_evaluation_v1.py`; its articles and its tokens depend on the language of the answer.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from xharness.cards import TaskCard
from xharness.kinds.base import Metric, Prediction, ratio

_ASCII_PUNCTUATION = frozenset(string.punctuation)
_SQUAD_DELETED = str.maketrans("", "", string.punctuation)
_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MLQA_ARTICLES = {
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "ar": re.compile(r"\sال^|ال"),
}
_MLQA_MIXED = frozenset({"zh"})


def squad_tokens(text: str) -> list[str]:
    """The words of an answer after SQuAD's normalisation, whatever its language."""
    bare = text.lower().translate(_SQUAD_DELETED)
    return _ENGLISH_ARTICLES.sub(" ", bare).split()


@lru_cache(maxsize=4096)
def _is_punctuation(character: str) -> bool:
    return character in _ASCII_PUNCTUATION or unicodedata.category(character).startswith("P")


def mlqa_tokens(text: str, language: str) -> list[str]:
    """The tokens of an answer after MLQA's normalisation for `language`."""
    bare = "".join(character for character in text.lower() if not _is_punctuation(character))
    articles = _MLQA_ARTICLES.get(language)
    bare = articles.sub(" ", bare) if articles else bare
    return _mixed_tokens(bare) if language in _MLQA_MIXED else bare.split()


def _mixed_tokens(text: str) -> list[str]:
    """Each Chinese character is a token; what stands between them is split at white space."""
    tokens: list[str] = []
    word = ""
    for character in text:
        if "\u4e00" <= character <= "\u9fa5":
            tokens += [*word.split(), character]
            word = ""
        else:
            word += character
    return tokens + word.split()


def token_f1(given: list[str], gold: list[str]) -> float:
    """F1 of the multisets of tokens, in [0, 1]."""
    common = (Counter(given) & Counter(gold)).total()
    if not common:
        return 0.0
    precision, recall = common / len(given), common / len(gold)
    return 2 * precision * recall / (precision + recall)


Tokens = Callable[[str, str], list[str]]


def _squad(text: str, language: str) -> list[str]:
    return squad_tokens(text)


def _best(example: Any, prediction: Prediction, language: str, tokens: Tokens) -> tuple[float, ...]:
    """(exact match, F1) against the gold answer that fits best, each on its own."""
    given = tokens(prediction, language)
    golds = [tokens(answer.text, language) for answer in example.answers]
    exact = max((float(given == gold) for gold in golds), default=0.0)
    overlap = max((token_f1(given, gold) for gold in golds), default=0.0)
    return exact, overlap


def _metric(name: str, tokens: Tokens, pick: Callable[[float, float], float], about: str) -> Metric:
    def item(
        example: Any, prediction: Prediction, card: TaskCard, language: str
    ) -> tuple[float, ...]:
        return pick(*_best(example, prediction, language, tokens)), 1.0

    return Metric(name, ("sum", "n"), item, ratio, about)


def _family(prefix: str, mean: str, tokens: Tokens, source: str) -> list[Metric]:
    return [
        _metric(mean, tokens, lambda em, f1: (em + f1) / 2, f"mean of EM and F1, {source}"),
        _metric(f"{prefix}exact_match", tokens, lambda em, f1: em, f"exact match, {source}"),
        _metric(f"{prefix}f1", tokens, lambda em, f1: f1, f"F1 of answer words, {source}"),
    ]


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            *_family("", "squad_mean", _squad, "SQuAD 1.1 normalisation"),
            *_family("mlqa_", "mlqa_mean", mlqa_tokens, "MLQA normalisation by language"),
        )
    }
)
