"""English names and scripts of all languages with an ISO 639 code, not only the benchmarks' own.

Names are those of CLDR and, where it has none, of ISO 639-3 (langcodes); scripts are CLDR's likely
subtags (Babel), because langcodes calls every script that it does not know Latin.
"""

from __future__ import annotations

from functools import cache


@cache
def english_name(code: str) -> str | None:
    """The English name for a code such as `sw`, `quy` or `zh-Hant`; None for one that is no code.

    A private or reserved code has no name, either.
    """
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    # As it is written first: in its normal form `arb` is `ar`, and Dari `fa-AF`.
    for normalize in (False, True):
        try:
            language = langcodes.Language.get(code, normalize=normalize)
        except LanguageTagError:
            return None
        # `language_name` answers "Unknown language [xx]" for what no registry knows.
        if language.is_valid() and not language.language_name("en").startswith("Unknown language"):
            return str(language.display_name("en"))
    return None


@cache
def likely_script(code: str) -> str | None:
    """The ISO 15924 script that a code names or its language is mostly written in; else None."""
    import langcodes
    from babel.core import get_global
    from langcodes.tag_parser import LanguageTagError

    try:
        language = langcodes.Language.get(code, normalize=False)
    except LanguageTagError:
        return None
    if language.script is not None:
        return str(language.script)
    likely = get_global("likely_subtags")
    # A region may decide (`pa-PK` is in Arabic script), and `prs` stands for Dari, `fa-AF`.
    base = language.language or ""
    with_region = f"{base}_{language.territory or ''}"
    alias = str(get_global("language_aliases").get(base, ""))
    for tag in (with_region, base, alias, alias.partition("_")[0]):
        if tag in likely:
            return str(likely[tag].split("_")[1])
    return None


@cache
def script_names() -> dict[str, str]:
    """ISO 15924 code to English name, of every script that CLDR knows."""
    from babel import Locale

    return {str(code): str(name) for code, name in Locale("en").scripts.items()}


def script_name(script: str) -> str | None:
    """The English name of an ISO 15924 script; None for one that CLDR does not know."""
    return script_names().get(script)


def normal_code(tag: str) -> str | None:
    """A tag in its usual form: `en` for `eng_Latn`, `ar-Arab` for `arb_Arab`; None for no tag."""
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    try:
        return langcodes.standardize_tag(tag, macro=True) if langcodes.tag_is_valid(tag) else None
    except LanguageTagError:
        return None


@cache
def _codes_of_names() -> dict[str, str]:
    from babel import Locale

    return {str(name).casefold(): str(code) for code, name in Locale("en").languages.items()}


def code_of_name(name: str) -> str | None:
    """The code of a language by its English name, whatever the case; None where CLDR has none."""
    return _codes_of_names().get(name.replace("_", " ").casefold())
