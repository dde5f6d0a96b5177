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
_THREE = dict(pair.split(":") for pair in _PAIRS.split())
"""ISO 639-1 to the ISO 639-3 code that NLLB takes for it: of a macrolanguage the largest member."""
_SCRIPTS = {"ko": "Hang", "zh": "Hans"}
_CODE = re.compile(r"__\w+__|>>.+<<|[a-z]{3}_[A-Z][a-z]{3}|[a-z]{2,3}_[A-Z]{2}")


def code_of(language: str, tokens: Collection[str], given: Mapping[str, str]) -> str | None:
    """The special token that stands for `language`; None where the model has none for any.

    Raises:
        ConfigurationError: the model has tokens for languages, but none for this one.
    """
    names = (given[language],) if language in given else (*_names(language),)
    for name in names:
        for spelling in _spellings(name):
            if spelling in tokens:
                return spelling
    codes = sorted(one for one in tokens if is_code(one))
    begun = [one for one in codes if one.partition("_")[0] in names]
    if len(begun) == 1:  # mBART adds one region to each language, NLLB the script
        return begun[0]
    if not codes and language not in given:
        return None
    wanted = given.get(language, language)
    raise ConfigurationError(f"the model has no language '{wanted}'", hint=_hint(wanted, codes))


def is_code(token: str) -> bool:
    """Whether a special token looks like a language."""
    return _CODE.fullmatch(token) is not None


def _names(language: str) -> Iterator[str]:
    if language in _THREE:
        script = _SCRIPTS.get(language, LANGUAGES[language].script)
        yield f"{_THREE[language]}_{script}"
        yield _THREE[language]
    yield language


def _spellings(name: str) -> tuple[str, ...]:
    return (f"__{name}__", f">>{name}<<", name)


def _hint(wanted: str, codes: Collection[str]) -> str:
    """The nearest code: as a whole, or its language alone."""
    alone = {re.sub(r"\W|^_+|_.*", "", one): one for one in codes}
    close = nearest(wanted, codes) or alone.get(nearest(wanted, alone) or "")
    return suggestion(close or wanted, codes)
