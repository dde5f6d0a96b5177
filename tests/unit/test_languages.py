"""Languages are chosen by code, by script and by family."""

from __future__ import annotations

from importlib import resources

import pytest

from xharness.spec.languages import (
    LANGUAGES,
    SCRIPTS,
    Language,
    check_selector,
    find_language,
    name_of,
    select_languages,
)


def test_every_script_has_an_english_name() -> None:
    assert {language.script for language in LANGUAGES.values()} == set(SCRIPTS)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sw", {"sw"}),
        ("script:Cyrl", {"bg", "kk", "ru", "uk"}),
        ("script:cyrillic", {"bg", "kk", "ru", "uk"}),
        ("family:Uralic", {"et", "fi", "hu"}),
        ("family:Slavic", {"bg", "pl", "ru", "uk"}),
        ("FAMILY:slavic", {"bg", "pl", "ru", "uk"}),
        ("family:indo-european: slavic", {"bg", "pl", "ru", "uk"}),
        ("family:Koreanic", {"ko"}),
    ],
)
def test_a_word_chooses(word: str, expected: set[str]) -> None:
    assert set(select_languages([word], LANGUAGES)) == expected


def test_a_family_holds_its_branches() -> None:
    branches = {one.family for one in LANGUAGES.values() if one.family.startswith("Indo-European")}
    both = {
        code for family in branches for code in select_languages([f"family:{family}"], LANGUAGES)
    }
    assert set(select_languages(["family:Indo-European"], LANGUAGES)) == both


def test_several_words_add_up_in_the_given_order() -> None:
    assert select_languages(["sw", "script:Thai", "ru"], ["th", "ru", "en", "sw"]) == (
        "th",
        "ru",
        "sw",
    )


@pytest.mark.parametrize("word", ["en", "gsw", "zh-TW", "script:Thai", "family:dravidian"])
def test_right_words_pass(word: str) -> None:
    check_selector(word)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("script:Cyril", "no language has the script 'Cyril'; did you mean 'Cyrl'?"),
        ("family:Slavik", "no language has the family 'Slavik'; did you mean 'Slavic'?"),
        ("scrpt:Thai", "'scrpt:Thai' is neither a language code nor script:NAME nor family:NAME"),
        ("English", "'English' is neither a language code"),
        ("family:", "no language has the family ''; known: "),
    ],
)
def test_wrong_words_are_told(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        check_selector(word)
    assert message in str(caught.value)


def test_languages_outside_the_table_have_names_and_scripts_and_no_family() -> None:
    language = find_language("quy")
    assert language == Language("quy", "Ayacucho Quechua", "", "Latn")
    assert name_of("lmo") == "Lombard" and name_of("xx") == "xx"
    assert select_languages(["script:Arab"], ["ckb", "de", "ar"]) == ("ckb", "ar")
    assert select_languages(["family:Slavic"], ["ckb", "ru"]) == ("ru",)


def test_every_family_has_a_source() -> None:
    text = resources.files("xharness.spec").joinpath("languages.csv").read_text(encoding="utf-8")
    (source,) = [line for line in text.splitlines() if line.startswith("# family:")]
    assert "2104.07412" in source
    assert all(language.family for language in LANGUAGES.values())
