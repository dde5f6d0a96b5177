"""What models call a language, found among the special tokens they have.

M2M100 calls French `__fr__`, NLLB `fra_Latn`, mBART `fr_XX`, a many-target Marian `>>fra<<`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from xharness import LANGUAGES, ConfigurationError, nearest, suggestion

_PAIRS = """
af:afr ar:arb az:azj bg:bul bn:ben de:deu el:ell en:eng es:spa et:est eu:eus fa:pes fi:fin fr:fra
gu:guj ha:hau he:heb hi:hin ht:hat hu:hun id:ind it:ita ja:jpn jv:jav ka:kat kk:kaz ko:kor lt:lit
ml:mal mr:mar ms:zsm my:mya nl:nld pa:pan pl:pol pt:por qu:quy ro:ron ru:rus sw:swh ta:tam te:tel
th:tha tl:tgl tr:tur uk:ukr ur:urd vi:vie wo:wol yo:yor zh:zho
"""
_ISO_639_3 = dict(pair.split(":") for pair in _PAIRS.split())
"""ISO 639-1 to the ISO 639-3 code that NLLB takes for it: of a macrolanguage the largest member."""
_SCRIPTS = {"ko": "Hang", "zh": "Hans"}
_CODE = re.compile(r"__\w+__|>>.+<<|[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2,3}_[A-Z]{2}")


def code_of(
    language: str, tokens: Collection[str], codes_by_language: Mapping[str, str]
) -> str | None:
    """The special token that stands for `language`; None where the model has none for any.

    Raises:
        ConfigurationError: the model has tokens for languages, but none for this one.
    """
    names = (
        (codes_by_language[language],)
        if language in codes_by_language
        else (*_code_names(language),)
    )
    # the most exact name first: a bare `zho` could be either script
    for name in names:
        for spelling in _spellings(name):
            if spelling in tokens:
                return spelling
    codes = sorted(token for token in tokens if is_code(token))
    extended_codes = [token for token in codes if token.partition("_")[0] in names]
    if len(extended_codes) == 1:  # mBART adds one region to each language, NLLB the script
        return extended_codes[0]
    if not codes and language not in codes_by_language:
        return None
    name = codes_by_language.get(language, language)
    raise ConfigurationError(f"the model has no language '{name}'", hint=_hint(name, codes))


def is_code(token: str) -> bool:
    """Whether a special token looks like a language."""
    return _CODE.fullmatch(token) is not None


def _code_names(language: str) -> Iterator[str]:
    if language in _ISO_639_3:
        script = _SCRIPTS.get(language, LANGUAGES[language].script)
        yield f"{_ISO_639_3[language]}_{script}"
        yield _ISO_639_3[language]
    yield language


def _spellings(name: str) -> tuple[str, ...]:
    return (f"__{name}__", f">>{name}<<", name)


def _hint(name: str, codes: Collection[str]) -> str:
    """The nearest code: as a whole, or its language alone."""
    code_by_language = {re.sub(r"\W|^_+|_.*", "", code): code for code in codes}
    nearest_code = nearest(name, codes) or code_by_language.get(
        nearest(name, code_by_language) or ""
    )
    return suggestion(nearest_code or name, codes)
