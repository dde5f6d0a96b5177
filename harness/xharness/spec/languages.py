"""Languages: names, families, scripts, and selection.

`languages.csv` has those of XTREME, XTREME-R and MultiCheckList, with the source of each column;
every other language has its name and script from the registries, and no family.

A language is selected by its code, or with others by script (`script:Cyrl`, `script:Cyrillic`) or
by family (`family:Slavic`, `family:Indo-European`), whatever the case.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from xharness.errors import suggestion

_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Language(NamedTuple):
    """One language; `family` is empty where no source says it."""

    code: str
    name: str
    family: str
    script: str


def _table() -> Iterator[Language]:
    text = resources.files("xharness.spec").joinpath("languages.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        yield Language(**row)


LANGUAGES: dict[str, Language] = {language.code: language for language in _table()}
"""The benchmarks' own languages, whose families are known."""


def is_code(text: str) -> bool:
    """Whether `text` has the form of a language code; the language need not be in the table."""
    return _CODE.fullmatch(text) is not None


@cache
def find_language(code: str) -> Language | None:
    """The language of that code; outside the benchmarks' table it has a name and no family."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    # Only here: the registries take a quarter of a second to load.
    from xharness.spec.language_names import english_name, likely_script

    name = english_name(code)
    return None if name is None else Language(code, name, "", likely_script(code) or "")


def name_of(code: str) -> str:
    """The English name of a language, or the code itself where no registry knows it."""
    language = find_language(code)
    return language.name if language is not None else code


SCRIPTS = {
    "Arab": "Arabic", "Beng": "Bengali", "Cyrl": "Cyrillic", "Deva": "Devanagari",
    "Geor": "Georgian", "Grek": "Greek", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hani": "Han",
    "Hebr": "Hebrew", "Jpan": "Japanese", "Kore": "Korean", "Latn": "Latin", "Mlym": "Malayalam",
    "Mymr": "Burmese", "Taml": "Tamil", "Telu": "Telugu", "Thai": "Thai",
}  # fmt: skip
"""ISO 15924 code to English name, for every script in the table."""


def _words(language: Language) -> dict[str, list[str]]:
    """What each filter calls `language`: a script by code and name, a family and its branch."""
    return {
        "script": [language.script, SCRIPTS.get(language.script, language.script)],
        "family": [*language.family.split(": "), language.family],
    }


def check_selector(word: str) -> None:
    """Whether `word` can select a language.

    Raises:
        ValueError: neither a code nor a filter, or a script or family that no language has.
    """
    attribute, colon, name = _parts(word)
    if not colon and is_code(word):
        return
    if not colon or attribute not in ("script", "family"):
        raise ValueError(f"'{word}' is neither a language code nor script:NAME nor family:NAME")
    names = {label for language in LANGUAGES.values() for label in _words(language)[attribute]}
    if name.casefold() not in map(str.casefold, names):
        raise ValueError(f"no language has the {attribute} '{name}'; {suggestion(name, names)}")


def select_languages(selectors: Iterable[str], codes: Iterable[str]) -> tuple[str, ...]:
    """The `codes` that one of the selectors matches, in their order."""
    words = [*selectors]
    return tuple(code for code in codes if any(_matches(word, code) for word in words))


def _matches(word: str, code: str) -> bool:
    attribute, colon, name = _parts(word)
    # Nobody told the family or the script of a language outside the table: no filter selects it.
    language = find_language(code) if colon else None
    if language is None:
        return word == code
    return name.casefold() in map(str.casefold, _words(language)[attribute])


def _parts(word: str) -> tuple[str, str, str]:
    attribute, colon, name = word.partition(":")
    return attribute.casefold(), colon, name


def _refuse_truth_value(value: Any) -> Any:
    """Norwegian's code, unquoted, is a truth value to YAML 1.1."""
    if isinstance(value, bool):
        word = "no" if value is False else "yes"
        raise ValueError(
            f"a language code, not a truth value: YAML 1.1 reads a bare '{word}' as "
            f"{str(value).lower()}; put the code in quotes"
        )
    return value


def _code(value: Any) -> Any:
    _refuse_truth_value(value)
    if isinstance(value, str) and not is_code(value):
        raise ValueError(f"'{value}' is not a language code such as 'en', 'sw' or 'zh'")
    return value


def _selector(word: str) -> str:
    check_selector(word)
    return word


LanguageCode = Annotated[str, BeforeValidator(_code)]
LanguageSelector = Annotated[str, BeforeValidator(_refuse_truth_value), AfterValidator(_selector)]
"""A language code, or several by script (`script:Cyrl`) or family (`family:Slavic`)."""
