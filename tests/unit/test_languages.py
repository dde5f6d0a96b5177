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
    branches = {
        language.family
        for language in LANGUAGES.values()
        if language.family.startswith("Indo-European")
    }
    codes = {
        code for family in branches for code in select_languages([f"family:{family}"], LANGUAGES)
    }
    assert set(select_languages(["family:Indo-European"], LANGUAGES)) == codes


def test_several_words_add_up_in_the_given_order() -> None:
    assert select_languages(["sw", "script:Thai", "ru"], ["th", "ru", "en", "sw"]) == (
        "th",
        "ru",
        "sw",
    )


@pytest.mark.parametrize(
    "word",
    ["en", "gsw", "zh-TW", "script:Thai", "script:ethi", "script:Tibetan", "family:dravidian",
     "family:Celtic", "family:tupian"],
)  # fmt: skip
def test_right_words_pass(word: str) -> None:
    check_selector(word)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("script:Cyril", "no language has the script 'Cyril'; did you mean 'Cyrl'?"),
        ("family:Slavik", "such as Slavic); did you mean 'Slavic'?"),
        ("family:Bantu", "no language has the family 'Bantu' (families are roots, such as Uralic"),
        ("scrpt:Thai", "'scrpt:Thai' is neither a language code nor script:NAME nor family:NAME"),
        ("English", "'English' is neither a language code"),
        ("family:", "no language has the family ''"),
    ],
)
def test_wrong_words_are_told(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        check_selector(word)
    assert message in str(caught.value)


def test_languages_outside_the_table_have_names_and_scripts_and_families() -> None:
    language = find_language("quy")
    assert language == Language("quy", "Ayacucho Quechua", "Quechuan", "Latn")
    assert name_of("lmo") == "Lombard" and name_of("xx") == "xx"
    assert select_languages(["script:Arab"], ["ckb", "de", "ar"]) == ("ckb", "ar")
    assert select_languages(["script:Ethiopic"], ["am", "ti", "ar"]) == ("am", "ti")
    assert select_languages(["family:Slavic"], ["ckb", "ru", "cs"]) == ("ru", "cs")
    assert select_languages(["family:Niger-Congo"], ["zu", "sw", "swh", "am"]) == (
        "zu", "sw", "swh",
    )  # fmt: skip
    assert select_languages(["family:"], ["xx", "en"]) == ()


@pytest.mark.parametrize(
    ("file", "source"), [("languages.csv", "2104.07412"), ("families.csv", "Glottolog")]
)
def test_every_family_has_a_source(file: str, source: str) -> None:
    text = resources.files("xharness.spec").joinpath(file).read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("# family:")]
    assert source in line
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    assert all(all(row) for row in rows)


def test_the_two_tables_share_no_language_and_call_families_alike() -> None:
    text = resources.files("xharness.spec").joinpath("families.csv").read_text(encoding="utf-8")
    family_of_code = dict(
        line.split(",") for line in text.splitlines()[1:] if not line.startswith("#")
    )
    assert not {*family_of_code} & {*LANGUAGES}
    assert not {"Atlantic-Congo", "Tai-Kadai", "Austroasiatic"} & {*family_of_code.values()}
    # Each branch of Indo-European that the benchmarks have is met elsewhere by the same name.
    branches = {
        language.family for language in LANGUAGES.values() if language.family.startswith("Indo-")
    }
    assert branches <= {*family_of_code.values()}
