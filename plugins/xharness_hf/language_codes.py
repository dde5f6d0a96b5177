"""What translation models call a language, found among the special tokens they have.

M2M100 calls French `__fr__`, NLLB `fra_Latn`, mBART `fr_XX`, a many-target Marian `>>fra<<`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from xharness.extend import ConfigurationError, suggestion
from xharness.languages import LANGUAGES

_PAIRS = """
af:afr ar:arb az:azj bg:bul bn:ben de:deu el:ell en:eng es:spa et:est eu:eus fa:pes fi:fin fr:fra
gu:guj ha:hau he:heb hi:hin ht:hat hu:hun id:ind it:ita ja:jpn jv:jav ka:kat kk:kaz ko:kor lt:lit
ml:mal mr:mar ms:zsm my:mya nl:nld pa:pan pl:pol pt:por qu:quy ro:ron ru:rus sw:swh ta:tam te:tel
th:tha tl:tgl tr:tur uk:ukr ur:urd vi:vie wo:wol yo:yor zh:zho
"""
_THREE = dict(pair.split(":") for pair in _PAIRS.split())
"""ISO 639-1 to the ISO 639-3 code that NLLB takes for it: of a macrolanguage the largest member."""
_SCRIPTS = {"ko": "Hang", "zh": "Hans"}


def code_of(language: str, tokens: Collection[str], given: Mapping[str, str]) -> str | None:
    """The special token that stands for `language`; None where the model has none for any.

    Raises:
        ConfigurationError: the model has tokens for languages, but none for this one.
    """
    if language in given:
        wanted = given[language]
        found = next((one for one in _spellings(wanted) if one in tokens), None)
        if found is None:
            raise _unknown(language, wanted, tokens)
        return found
    for name in _names(language):
        for spelling in _spellings(name):
            if spelling in tokens:
                return spelling
    if any(_speaks(one) for one in tokens):
        raise _unknown(language, language, tokens)
    return None


def _names(language: str) -> Iterator[str]:
    yield language
    if language in _THREE:
        script = _SCRIPTS.get(language, LANGUAGES[language].script)
        yield f"{_THREE[language]}_{script}"
        yield _THREE[language]
    yield f"{language}_XX"
    yield f"{language}_{language.upper()}"


def _spellings(name: str) -> tuple[str, ...]:
    return (f"__{name}__", f">>{name}<<", name)


def _speaks(token: str) -> bool:
    """Whether a special token looks like a language."""
    inner = token.removeprefix("__").removesuffix("__").removeprefix(">>").removesuffix("<<")
    return inner != token or (len(token) == 8 and token[3:4] == "_") or token.endswith("_XX")


def _unknown(language: str, wanted: str, tokens: Collection[str]) -> ConfigurationError:
    return ConfigurationError(
        f"the translation model has no language '{language}'",
        hint=suggestion(wanted, [one for one in tokens if _speaks(one)]),
    )
