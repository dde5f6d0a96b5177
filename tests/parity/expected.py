"""The definitions written a second time, in another way, to compare the harness's with.

They follow `evaluate-v1.1.py` and `evaluate-v2.0.py` (SQuAD), `mlqa_evaluation_v1.py` (MLQA) and
`generate_test_utils.py` (MultiCheckList) in what they give, and share no code with `xharness`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import groupby

Words = Callable[[str], list[str]]

ASCII_PUNCTUATION = {chr(code) for code in range(33, 127) if not chr(code).isalnum()}
MLQA_ARTICLES = {
    "en": {"a", "an", "the"},
    "es": {"un", "una", "unos", "unas", "el", "la", "los", "las"},
    "de": {
        "ein", "eine", "einen", "einem", "eines", "einer", "der", "die", "das", "den", "dem", "des",
    },
    "vi": {"của", "là", "cái", "chiếc", "những"},
}  # fmt: skip


def without(text: str, words: set[str]) -> str:
    """`text` with a blank in place of each whole run of word characters that is in `words`."""
    runs = (
        "".join(run)
        for _, run in groupby(text, key=lambda character: character.isalnum() or character == "_")
    )
    return "".join(" " if run in words else run for run in runs)


def squad_words(text: str) -> list[str]:
    """Lower case, then ASCII punctuation out, then English articles, then split at blanks."""
    letters = "".join(letter for letter in text.lower() if letter not in ASCII_PUNCTUATION)
    return without(letters, {"a", "an", "the"}).split()


def mlqa_words(language: str) -> Words:
    """As SQuAD's with Unicode's punctuation and the language's articles; Chinese by character."""

    def words(text: str) -> list[str]:
        letters = [
            letter for letter in text.lower()
            if letter not in ASCII_PUNCTUATION and not unicodedata.category(letter).startswith("P")
        ]  # fmt: skip
        text_without_articles = without("".join(letters), MLQA_ARTICLES.get(language, set()))
        if language == "ar":
            text_without_articles = " ".join(text_without_articles.split("ال"))
        if language == "zh":
            text_without_articles = "".join(
                f" {tag} " if 0x4E00 <= ord(tag) <= 0x9FA5 else tag for tag in text_without_articles
            )
        return text_without_articles.split()

    return words


def overlap(answer: Sequence[str], gold: Sequence[str]) -> Fraction:
    """F1 of two bags of words: twice what they share, by what they hold together."""
    unmatched, shared = list(gold), 0
    for word in answer:
        if word in unmatched:
            unmatched.remove(word)
            shared += 1
    return Fraction(2 * shared, len(answer) + len(gold)) if shared else Fraction(0)


def marks(answer: str, golds: Iterable[str], words: Words) -> tuple[int, Fraction]:
    """Exact match and F1 against the best gold answer, each on its own."""
    answer_words = words(answer)
    bags = [words(gold) for gold in golds]
    return int(answer_words in bags), max(
        (overlap(answer_words, bag) for bag in bags), default=Fraction(0)
    )


def squad2_marks(answer: str, golds: Iterable[str]) -> tuple[int, Fraction]:
    """As SQuAD 1.1 among the golds that have a word; where there is none, silence is right."""
    nonempty_golds = [gold for gold in golds if squad_words(gold)]
    if nonempty_golds:
        return marks(answer, nonempty_golds, squad_words)
    silent = not squad_words(answer)
    return int(silent), Fraction(int(silent))


WHOLE_WORDS = {
    "de": {"ein", "eine", "einen"}, "el": {"Ο", "ένα", "μια"}, "en": {"a", "an", "the", "in", "at"},
    "es": {"un", "una", "unos", "unas", "el", "la", "los", "las"}, "eu": {"bat"}, "fa": {"یک"},
    "fr": {"un", "une", "le", "la", "en"}, "hu": {"egy"}, "it": {"un", "una"}, "nl": {"een"},
    "pt": {"um", "uma"}, "tl": {"Si"}, "tr": {"bir"}, "vi": {"một"}, "wo": {"dafa"}, "yo": {"kan"},
}  # fmt: skip
"""MultiCheckList's articles; those that are written on to the next word are tested by example."""


def checked(text: str, language: str) -> str:
    """An answer as MultiCheckList compares it: articles out, some punctuation off its ends."""
    unarticled = without(text, WHOLE_WORDS.get(language, set()))
    ends = {",", ".", " "} | ({"„", "”"} if language == "pl" else set())
    indexes = [index for index, tag in enumerate(unarticled) if tag not in ends]
    return unarticled[indexes[0] : indexes[-1] + 1] if indexes else ""
