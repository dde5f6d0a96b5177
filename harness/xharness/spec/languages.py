"""Languages: names, families, scripts, and selection.

`languages.csv` has those of XTREME, XTREME-R and MultiCheckList, with the source of each column;
every other language has its name and script from the registries, and its family, where it is known,
from `families.csv`, which says its source too.

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


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = resources.files("xharness.spec").joinpath(file).read_text(encoding="utf-8")
    # CSV has no comments; these files say in theirs where each column is from.
    return csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))


LANGUAGES: dict[str, Language] = {row["code"]: Language(**row) for row in _rows("languages.csv")}
"""The benchmarks' own languages."""


@cache
def _families() -> dict[str, str]:
    """Code to family, of the benchmarks' languages and of others."""
    others = {row["code"]: row["family"] for row in _rows("families.csv")}
    # Over the wider table: of the benchmarks' languages each family was looked up.
    return others | {code: language.family for code, language in LANGUAGES.items()}


def is_code(text: str) -> bool:
    """Whether `text` has the form of a language code; the language need not be in the table."""
    return _CODE.fullmatch(text) is not None


@cache
def find_language(code: str) -> Language | None:
    """The language of that code; None for one that is no code."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    # Only here: the registries take a quarter of a second to load.
    from xharness.spec.language_names import english_name, likely_script

    name = english_name(code)
    if name is None:
        return None
    # A script or a region makes no other family.
    family = _families().get(code.partition("-")[0], "")
    return Language(code, name, family, likely_script(code) or "")


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


def _script_words(script: str) -> list[str]:
    """A script's code and name."""
    if script in SCRIPTS or not script:
        return [script, SCRIPTS.get(script, "")]
    from xharness.spec.language_names import script_name

    return [script, script_name(script) or ""]


def _family_words(family: str) -> list[str]:
    """A family by its root, by its branch, and by both."""
    return [*family.split(": "), family]


def check_selector(word: str) -> None:
    """Whether `word` can select a language.

    Raises:
        ValueError: neither a code nor a filter, or a script or family that no language has.
    """
    attribute, colon, name = _parts(word)
    # Any code will do: whether a task has the language is asked of the task.
    if not colon and is_code(word):
        return
    if not colon or attribute not in ("script", "family"):
        raise ValueError(f"'{word}' is neither a language code nor script:NAME nor family:NAME")
    if attribute == "family":
        names = {label for family in _families().values() for label in _family_words(family)}
    else:
        names = {*SCRIPTS, *SCRIPTS.values()}
    if name.casefold() in map(str.casefold, names) or (attribute == "script" and _is_script(name)):
        return
    depth = " (families are roots, such as Uralic, and branches of Indo-European, such as Slavic)"
    raise ValueError(
        f"no language has the {attribute} '{name}'{depth if attribute == 'family' else ''}; "
        f"{suggestion(name, names)}"
    )


def _is_script(name: str) -> bool:
    """Whether it is the code or the English name of a script outside the benchmarks."""
    from xharness.spec.language_names import script_names

    return name.casefold() in map(str.casefold, (*script_names(), *script_names().values()))


def select_languages(selectors: Iterable[str], codes: Iterable[str]) -> tuple[str, ...]:
    """The `codes` that one of the selectors matches, in their order."""
    words = [*selectors]
    return tuple(code for code in codes if any(_matches(word, code) for word in words))


def _matches(word: str, code: str) -> bool:
    attribute, colon, name = _parts(word)
    language = find_language(code) if colon else None
    if language is None:
        return word == code
    labels = (
        _family_words(language.family) if attribute == "family" else _script_words(language.script)
    )
    return bool(name) and name.casefold() in map(str.casefold, labels)


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
