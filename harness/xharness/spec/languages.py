"""The languages of XTREME, XTREME-R and MultiCheckList: names, families, scripts, and selection.

Codes are ISO 639-1 as the benchmarks write them (`jv`, `zh`), ISO 639-3 where there is no shorter
one. Families follow Ruder et al. 2021 (XTREME-R), table of languages; scripts are ISO 15924.

A language is selected by its code, or with others by script (`script:Cyrl`, `script:Cyrillic`) or
by family (`family:Slavic`, `family:Indo-European`), whatever the case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from xharness.errors import suggestion

_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class Language(NamedTuple):
    """One language as the benchmarks know it."""

    code: str
    name: str
    family: str
    script: str


_TABLE = """
af Afrikaans IE:Germanic Latn
ar Arabic Afro-Asiatic Arab
az Azerbaijani Turkic Latn
bg Bulgarian IE:Slavic Cyrl
bn Bengali IE:Indo-Aryan Beng
de German IE:Germanic Latn
el Greek IE:Greek Grek
en English IE:Germanic Latn
es Spanish IE:Romance Latn
et Estonian Uralic Latn
eu Basque Basque Latn
fa Persian IE:Iranian Arab
fi Finnish Uralic Latn
fr French IE:Romance Latn
gu Gujarati IE:Indo-Aryan Gujr
ha Hausa Afro-Asiatic Latn
he Hebrew Afro-Asiatic Hebr
hi Hindi IE:Indo-Aryan Deva
ht Haitian_Creole Creole Latn
hu Hungarian Uralic Latn
id Indonesian Austronesian Latn
it Italian IE:Romance Latn
ja Japanese Japonic Jpan
jv Javanese Austronesian Latn
ka Georgian Kartvelian Geor
kk Kazakh Turkic Cyrl
ko Korean Koreanic Kore
lt Lithuanian IE:Baltic Latn
ml Malayalam Dravidian Mlym
mr Marathi IE:Indo-Aryan Deva
ms Malay Austronesian Latn
my Burmese Sino-Tibetan Mymr
nl Dutch IE:Germanic Latn
pa Punjabi IE:Indo-Aryan Guru
pl Polish IE:Slavic Latn
pt Portuguese IE:Romance Latn
qu Quechua Quechuan Latn
ro Romanian IE:Romance Latn
ru Russian IE:Slavic Cyrl
sw Swahili Niger-Congo Latn
ta Tamil Dravidian Taml
te Telugu Dravidian Telu
th Thai Kra-Dai Thai
tl Tagalog Austronesian Latn
tr Turkish Turkic Latn
uk Ukrainian IE:Slavic Cyrl
ur Urdu IE:Indo-Aryan Arab
vi Vietnamese Austro-Asiatic Latn
wo Wolof Niger-Congo Latn
yo Yoruba Niger-Congo Latn
zh Chinese Sino-Tibetan Hani
"""

LANGUAGES: dict[str, Language] = {
    code: Language(code, name.replace("_", " "), family.replace("IE:", "Indo-European: "), script)
    for code, name, family, script in (line.split() for line in _TABLE.split("\n") if line)
}


def is_code(text: str) -> bool:
    """Whether `text` has the form of a language code; the language need not be in the table."""
    return _CODE.fullmatch(text) is not None


def name_of(code: str) -> str:
    """The English name of a language, or the code itself for one outside the table."""
    return LANGUAGES[code].name if code in LANGUAGES else code


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
        "script": [language.script, SCRIPTS[language.script]],
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
    if not colon or code not in LANGUAGES:
        return word == code
    return name.casefold() in map(str.casefold, _words(LANGUAGES[code])[attribute])


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
