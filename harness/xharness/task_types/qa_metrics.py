"""Exact match and F1 of answers, as the scripts of SQuAD 1.1, SQuAD 2.0 and MLQA define them.

SQuAD 1.1: Rajpurkar et al. 2016, `evaluate-v1.1.py`. SQuAD 2.0: Rajpurkar et al. 2018,
`evaluate-v2.0.py`, where no answer is an answer. MLQA: Lewis et al. 2020,
`mlqa_evaluation_v1.py`; its articles and its tokens depend on the language of the answer.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Metric, Prediction, ratio

_ASCII_PUNCTUATION = frozenset(string.punctuation)
_SQUAD_DELETED = str.maketrans("", "", string.punctuation)
_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b")
_MLQA_ARTICLES = {
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    # As published, with a `^` that can never match: the article goes wherever it occurs.
    "ar": re.compile(r"\sال^|ال"),
}
_MLQA_MIXED = frozenset({"zh"})


def squad_tokens(text: str) -> list[str]:
    """The words of an answer after SQuAD's normalisation, whatever its language."""
    unpunctuated = text.lower().translate(_SQUAD_DELETED)
    return _ENGLISH_ARTICLES.sub(" ", unpunctuated).split()


@lru_cache(maxsize=4096)
def _is_punctuation(character: str) -> bool:
    return character in _ASCII_PUNCTUATION or unicodedata.category(character).startswith("P")


def mlqa_tokens(text: str, language: str) -> list[str]:
    """The tokens of an answer after MLQA's normalisation for `language`."""
    words = "".join(character for character in text.lower() if not _is_punctuation(character))
    articles = _MLQA_ARTICLES.get(language)
    words = articles.sub(" ", words) if articles else words
    return _mixed_tokens(words) if language in _MLQA_MIXED else words.split()


def _mixed_tokens(text: str) -> list[str]:
    """Each Chinese character is a token; what stands between them is split at white space."""
    tokens: list[str] = []
    word = ""
    for character in text:
        # The range that `mixed_segmentation` names; characters added to Unicode later are in words.
        if "\u4e00" <= character <= "\u9fa5":
            tokens += [*word.split(), character]
            word = ""
        else:
            word += character
    return tokens + word.split()


def token_f1(answer: list[str], gold: list[str]) -> float:
    """F1 of the multisets of tokens, in [0, 1]."""
    common = (Counter(answer) & Counter(gold)).total()
    if not common:
        return 0.0
    precision, recall = common / len(answer), common / len(gold)
    return 2 * precision * recall / (precision + recall)


Tokens = Callable[[str, str], list[str]]
Marks = tuple[float, float]
"""Exact match and F1, each against the gold answer that fits best."""
Marking = Callable[[Any, Prediction, str], Marks]


def _squad(text: str, language: str) -> list[str]:
    return squad_tokens(text)


def _best(answer: list[str], golds: list[list[str]]) -> Marks:
    # Lists are equal where the scripts' strings are: these are the same words joined by blanks.
    exact = max((float(answer == gold) for gold in golds), default=0.0)
    return exact, max((token_f1(answer, gold) for gold in golds), default=0.0)


def _marking(tokens: Tokens) -> Marking:
    def mark(example: Any, prediction: Prediction, language: str) -> Marks:
        golds = [tokens(answer.text, language) for answer in example.answers]
        return _best(tokens(prediction, language), golds)

    return mark


def _squad2(example: Any, prediction: Prediction, language: str) -> Marks:
    """As SQuAD 1.1, but nothing is right where there is no answer with a word in it."""
    answer = squad_tokens(prediction)
    golds = [tokens for gold in example.answers if (tokens := squad_tokens(gold.text))]
    return _best(answer, golds) if golds else (float(not answer), float(not answer))


Pick = Callable[[Any, Marks], tuple[float, float]]
"""A metric's statistics (sum, n), from an example and its marks."""


def _metric(name: str, mark: Marking, pick: Pick, description: str) -> Metric:
    def item(
        example: Any, prediction: Prediction, card: TaskCard, language: str
    ) -> tuple[float, ...]:
        return pick(example, mark(example, prediction, language))

    return Metric(name, ("sum", "n"), item, ratio, description)


def _family(prefix: str, mean: str, mark: Marking, source: str) -> list[Metric]:
    return [
        _metric(
            mean, mark, lambda example, marks: (sum(marks) / 2, 1), f"mean of EM and F1, {source}"
        ),
        _metric(
            f"{prefix}exact_match",
            mark,
            lambda example, marks: (marks[0], 1),
            f"exact match, {source}",
        ),
        _metric(
            f"{prefix}f1", mark, lambda example, marks: (marks[1], 1), f"F1 of words, {source}"
        ),
    ]


def _among(name: str, *, answerable: bool, description: str) -> Metric:
    """F1 over the items that have an answer, or over those that have none."""

    def pick(example: Any, marks: Marks) -> tuple[float, float]:
        # As `make_qid_to_has_ans` of evaluate-v2.0 counts them: by the list, not by what is in it.
        return (marks[1], 1.0) if bool(example.answers) == answerable else (0.0, 0.0)

    return _metric(name, _squad2, pick, description)


def _by_name(metrics: Iterable[Metric]) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


METRICS = _by_name(
    (
        *_family("", "squad_mean", _marking(_squad), "SQuAD 1.1 normalisation"),
        *_family("mlqa_", "mlqa_mean", _marking(mlqa_tokens), "MLQA normalisation by language"),
    )
)
SQUAD2_METRICS = _by_name(
    (
        *_family("squad2_", "squad2_mean", _squad2, "SQuAD 2.0, with no-answer"),
        _among("squad2_has_answer_f1", answerable=True, description="F1 where there is an answer"),
        _among("squad2_no_answer_f1", answerable=False, description="share of no-answers found"),
    )
)
