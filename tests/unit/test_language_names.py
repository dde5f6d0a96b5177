"""Names and scripts of languages outside the benchmarks' table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xharness.spec.language_names import english_name, likely_script, script_name
from xharness.spec.languages import LANGUAGES, SCRIPTS

_OTHER_NAMES = {"bn": "Bangla"}
"""Where CLDR says another name than the papers do."""
_OTHER_SCRIPTS = {"zh": "Hans"}
"""Where the papers name the script of both ways to write a language."""


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_table_and_the_registries_agree(code: str) -> None:
    language = LANGUAGES[code]
    assert english_name(code) == _OTHER_NAMES.get(code, language.name)
    assert likely_script(code) == _OTHER_SCRIPTS.get(code, language.script)


@pytest.mark.parametrize(
    ("code", "name", "script"),
    [
        ("quy", "Ayacucho Quechua", "Latn"),
        ("fuv", "Nigerian Fulfulde", "Latn"),
        ("azb", "South Azerbaijani", "Arab"),
        ("pbt", "Southern Pashto", "Arab"),
        ("arb", "Standard Arabic", "Arab"),
        ("cmn", "Mandarin Chinese", "Hans"),
        ("ydd", "Eastern Yiddish", "Hebr"),
        ("zh-Hant", "Chinese (Traditional)", "Hant"),
        ("sr-Latn", "Serbian (Latin)", "Latn"),
        ("pa-PK", "Punjabi (Pakistan)", "Arab"),
        ("deu", "German", "Latn"),
        ("iw", "Hebrew", "Hebr"),
    ],
)
def test_other_languages_have_names_and_scripts(code: str, name: str, script: str) -> None:
    assert english_name(code) == name
    assert likely_script(code) == script


@pytest.mark.parametrize("code", ["xx", "qqq", "", "not a code", "x", "e" * 20])
def test_what_is_no_code_has_neither_name_nor_script(code: str) -> None:
    assert english_name(code) is None
    assert likely_script(code) is None


def test_every_script_of_the_table_has_a_name() -> None:
    assert {script for script in SCRIPTS if script_name(script) is None} == set()
    assert script_name("Qqqq") is None


@given(st.text(max_size=12))
def test_any_text_is_answered(text: str) -> None:
    script = likely_script(text)
    assert english_name(text) is None or english_name(text)
    assert script is None or (len(script) == 4 and script.isalpha())
