"""Rows of the mini source: parallel, deterministic, labelled by construction."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from xharness_mini import COLUMNS, LABELS, LANGUAGES, TASKS, languages, rows, sentences, splits
from xharness_mini.sentences import QUESTIONS, SLOTS, Fact, Person, realise
from xharness_mini.vocabulary import UPOS, lexicon, parse, structure

EVERY_SPLIT = [(task, split) for task in TASKS for split in splits(task)]
EVERY_LANGUAGE = [(task, language) for task in TASKS for language in languages(task)]
SCRIPTS = {"Latin": "LATIN", "Cyrillic": "CYRILLIC", "Greek": "GREEK", "Devanagari": "DEVANAGARI",
           "Arabic": "ARABIC"}  # fmt: skip


def take(task: str, language: str, split: str, size: int = 60, seed: int = 0) -> list[Any]:
    return list(rows(task, language, split, seed=seed, size=size))


def texts(row: dict[str, Any]) -> str:
    """Everything a row says, as one comparable string."""
    return repr([value for key, value in row.items() if key not in ("id", "label", "tags")])


def contents(task: str, split: str, seed: int) -> set[str]:
    """What the English (or source) side of a split says."""
    language = languages(task)[0]
    return {texts(row) for row in take(task, language, split, 100, seed)}


def test_ten_languages_in_five_scripts() -> None:
    assert len(LANGUAGES) >= 10
    assert {lexicon(language).script for language in LANGUAGES} == set(SCRIPTS)


@pytest.mark.parametrize(("task", "split"), EVERY_SPLIT)
def test_same_seed_same_rows(task: str, split: str) -> None:
    language = languages(task)[-1]
    assert take(task, language, split) == take(task, language, split)
    assert take(task, language, split) != take(task, language, split, seed=1)


def test_rows_do_not_depend_on_what_was_made_before() -> None:
    # Includes CLDR: Babel's cache must not leak one language into another.
    script = (
        "from xharness_mini import TASKS, rows, splits\n"
        "for task in TASKS:\n"
        "    for row in rows(task, 'el', splits(task)[0], seed=0, size=20): print(row)"
    )
    folder = str(Path(sys.modules["xharness_mini"].__path__[0]).parent)
    fresh = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", script],
        capture_output=True, check=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": folder},
    )  # fmt: skip
    for task in TASKS:
        take(task, "sw", splits(task)[0])
    lines = [str(row) for task in TASKS for row in take(task, "el", splits(task)[0], 20)]
    assert fresh.stdout.splitlines() == lines


@pytest.mark.parametrize(("task", "language"), EVERY_LANGUAGE)
def test_same_content_in_every_language(task: str, language: str) -> None:
    reference = languages(task)[0]
    for split in splits(task):
        for english, foreign in zip(
            take(task, language, split), take(task, reference, split), strict=True
        ):
            assert tuple(english) == tuple(foreign) == COLUMNS[task]
            for column in ("id", "label", "question" if task == "choice" else "id"):
                assert english.get(column) == foreign.get(column)
            if task in ("bitext", "parallel"):
                assert english["source"] == foreign["source"]


@pytest.mark.parametrize("task", ["nli", "topic", "choice"])
def test_labels_are_balanced(task: str) -> None:
    for split in splits(task):
        labels = [row["label"] for row in take(task, "en", split, 120)]
        assert set(Counter(labels).values()) == {120 // len(LABELS[task])}
        assert labels != sorted(labels)


def test_a_hypothesis_alone_says_nothing_about_its_label() -> None:
    kinds: Counter[tuple[bool, int]] = Counter()
    for row in take("nli", "en", "train", 1500):
        kinds[" lives " in row["hypothesis"], row["label"]] += 1
    assert len(kinds) == 6
    assert max(kinds.values()) < 1.35 * min(kinds.values())


def test_choices_are_not_told_apart_by_length_or_question() -> None:
    data = take("choice", "en", "train", 1000)
    longer = [(len(row["choice1"]) > len(row["choice2"])) == (row["label"] == 0) for row in data]
    assert 0.4 < sum(longer) / len(longer) < 0.6
    assert 0.4 < sum(row["question"] == "cause" for row in data) / len(data) < 0.6


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", ["pos", "ner"])
def test_one_tag_for_each_token(task: str, language: str) -> None:
    tags: set[str] = set()
    for split in splits(task):
        for row in take(task, language, split, 150):
            assert len(row["tokens"]) == len(row["tags"])
            assert all(row["tokens"])
            tags.update(row["tags"])
            for last_tag, tag in zip(["O", *row["tags"]], row["tags"], strict=False):
                if tag.startswith("I-"):
                    assert last_tag[2:] == tag[2:], row
    assert tags <= set(LABELS[task])
    if task == "ner":
        # A country may be one word: I-LOC is not in every language.
        assert tags >= set(LABELS[task]) - {"I-LOC"}


def test_tag_sets() -> None:
    assert set(LABELS["pos"]) <= UPOS
    tags_used = {tag for lang in LANGUAGES for row in take("pos", lang, "train", 400)
            for tag in row["tags"]}  # fmt: skip
    assert tags_used == set(LABELS["pos"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_stand_where_they_are_said_to(language: str) -> None:
    for row in take("qa", language, "test", 100):
        (answer,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
        assert answer
        assert row["context"][start : start + len(answer)] == answer


@pytest.mark.parametrize("language", languages("bitext"))
def test_no_line_twice_in_the_bitext(language: str) -> None:
    data = take("bitext", language, "test", 200)
    assert len({row["source"] for row in data}) == len({row["target"] for row in data}) == 200


@pytest.mark.parametrize("task", [task for task in TASKS if "test" in splits(task)])
def test_splits_are_disjoint_under_any_seed(task: str) -> None:
    parts = {split: contents(task, split, 0) | contents(task, split, 1) for split in splits(task)}
    for part, other_part in itertools.combinations(parts.values(), 2):
        assert not part & other_part


def test_no_test_sentence_is_in_the_parallel_corpus() -> None:
    corpus = {row["source"] for row in take("parallel", "de", "train", 3000)}
    tested: set[str] = {row["source"] for row in take("bitext", "de", "test", 200)}
    tested |= {row["text"] for row in take("topic", "en", "test", 200)}
    tested |= {text for row in take("nli", "en", "test", 200)
               for text in (row["premise"], row["hypothesis"])}  # fmt: skip
    tested |= {text for row in take("choice", "en", "test", 200)
               for text in (row["premise"], row["choice1"], row["choice2"])}  # fmt: skip
    for row in take("qa", "en", "test", 200):
        tested |= {row["question"], *row["context"].replace(". ", ".\n").split("\n")}
    assert not corpus & tested


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_come_from_cldr(language: str) -> None:
    locale, words = Locale(language), lexicon(language)

    def spoken(phrase: Any) -> str:
        return " ".join(word.form for word in phrase)

    for code in structure().countries:
        assert spoken(words.countries[code]) == locale.territories[code]
    for code in structure().languages:
        assert spoken(words.languages[code]) == locale.languages[code]
    assert spoken(words.weekdays[0]) == locale.days["format"]["wide"][0]
    text = repr(take("ner", language, "train", 200))
    assert any(words.countries[code][0].form in text for code in structure().countries)


def test_month_names_are_nominative() -> None:
    # The genitive is "января", "Ιανουαρίου".
    assert lexicon("ru").months[0][0].form == "январь"
    assert lexicon("el").months[0][0].form == "Ιανουάριος"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_in_the_script_of_their_language(language: str) -> None:
    script = SCRIPTS[lexicon(language).script]
    for row in take("topic", language, "test", 100):
        assert unicodedata.is_normalized("NFC", row["text"])
        for letter in filter(str.isalpha, row["text"]):
            assert unicodedata.name(letter).startswith(script), (letter, row["text"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_is_said_in_its_own_way(language: str) -> None:
    # Two keys with one form would make two facts one sentence.
    words = lexicon(language)
    for entries in (words.names, words.surnames, words.org_words, words.cities, words.places,
                    words.countries, words.languages):  # fmt: skip
        assert len(set(entries.values())) == len(entries)
    actions = [tuple(parts[part]["m"] for part in ("verb", "object"))
               for parts in words.activities.values()]  # fmt: skip
    assert len(set(actions)) == len(actions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_sentence_is_whole(language: str) -> None:
    values: dict[str, Any] = {
        "person": Person("anna", "kim"), "activity": "cook_soup", "place": "kitchen",
        "city": "paris", "head": "bank", "org": ("delta", "orion"), "reason": "exam",
        "country": "NZ", "language": "sw",
    }  # fmt: skip
    for kind, slots in SLOTS.items():
        sentence = realise(Fact(kind, **{slot: values[slot] for slot in slots}), language)
        assert "{" not in sentence.text
        assert sentence.text[0] == "¿" or not sentence.text[0].islower()
        assert sentence.words[-1].tag == "PUNCT"
        assert (sentence.text[-1] in "?;؟") == (kind in QUESTIONS)
        for (start, end), word in zip(sentence.offsets, sentence.words, strict=True):
            assert sentence.text[start:end] == word.form


def test_agreement_elision_and_spacing() -> None:
    def say(language: str, kind: str, name: str, **slots: Any) -> str:
        return realise(Fact(kind, Person(name, None), **slots), language).text

    soup = {"activity": "cook_soup"}
    assert say("hi", "action", "maria", **soup) == "मारिया सूप पकाती है।"
    assert say("hi", "action", "omar", **soup) == "उमर सूप पकाता है।"
    assert say("ar", "action", "maria", **soup) == "ماريا تطبخ الحساء."
    assert say("ar", "action", "omar", **soup) == "عمر يطبخ الحساء."
    assert say("fr", "where", "anna", **soup) == "Où est-ce qu’Anna prépare une soupe\u00a0?"
    assert say("fr", "where", "maria", **soup) == "Où est-ce que Maria prépare une soupe\u00a0?"
    assert say("ru", "works", "ivan", head="bank", org=("nova",)) == (
        "Иван работает в банке «Нова»."
    )
    assert say("el", "action", "maria", **soup, weekday=0) == "Δευτέρα: η Μαρία μαγειρεύει σούπα."
    assert say("es", "home", "sofia") == "¿Dónde vive Sofía?"


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (("topics", "en", "train"), "'topic'"),
        (("topic", "enn", "train"), "'en'"),
        (("topic", "en", "tests"), "'test'"),
        (("bitext", "en", "test"), "de"),
        (("bitext", "de", "train"), "test"),
    ],
)
def test_an_unknown_name_is_an_error_that_helps(
    arguments: tuple[str, str, str], nearest: str
) -> None:
    with pytest.raises(ValueError, match=nearest):
        rows(*arguments, seed=0, size=1)


def test_too_many_rows_is_an_error_that_says_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    somebody = sentences.people("test")[0]
    monkeypatch.setattr(sentences, "people", lambda split: (somebody, Person("anna", "silva")))
    with pytest.raises(ValueError, match=r"about \d+ distinct rows"):
        rows("choice", "en", "test", seed=0, size=10_000)


def test_a_malformed_phrase_is_an_error() -> None:
    with pytest.raises(ValueError, match="not word/TAG"):
        parse("soup")
    with pytest.raises(ValueError, match="not a UPOS tag"):
        parse("soup/FOOD")
