"""The languages of XTREME and XTREME-R: names, families and scripts.

Codes are ISO 639-1 as the benchmarks write them (`jv`, `zh`), ISO 639-3 where there is no shorter
one. Families follow Ruder et al. 2021 (XTREME-R), table of languages; scripts are ISO 15924.
"""

from __future__ import annotations

import re
from typing import NamedTuple

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
