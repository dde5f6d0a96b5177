"""Turns language-free facts into sentences.

A `Fact` says what a sentence is about in keys only; `realise` says it in
one language.  The same fact therefore gives parallel sentences, and tokens,
tags, entities and answer spans come out of the same composition.
"""

from __future__ import annotations

import random
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, NamedTuple

from xharness_mini.vocabulary import Lexicon, Phrase, Template, Word, lexicon, structure

SLOTS: Final[Mapping[str, tuple[str, ...]]] = {
    # statements
    "event": ("person", "activity", "place"),
    "action": ("person", "activity"),
    "located": ("person", "place"),
    "lives": ("person", "city"),
    "works": ("person", "head", "org"),
    "seat": ("head", "org", "city"),
    "reason": ("person", "reason"),
    "profile": ("person", "country", "language"),
    # questions
    "who": ("activity", "place"),
    "what": ("person", "activity"),
    "where": ("person", "activity"),
    "day": ("person", "activity"),
    "country": ("person",),
    "language": ("person",),
    "work": ("person",),
    "home": ("person",),
}
"""Kind of fact to what it is about."""

QUESTIONS: Final = ("who", "what", "where", "day", "country", "language", "work", "home")
STATEMENTS: Final = tuple(kind for kind in SLOTS if kind not in QUESTIONS)

_ENTITY_TYPES: Final = {"name": "PER", "country": "LOC", "city": "LOC", "org": "ORG"}
_NO_SPACE_BEFORE: Final = frozenset(".,;:?!)»،؟।")
_NO_SPACE_AFTER: Final = frozenset("(«")


class Person(NamedTuple):
    """Somebody: keys of a name and, perhaps, of a surname."""

    name: str
    surname: str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """The content of one sentence; slots a kind has no use for stay None.

    `weekday` or `month` and, outside a profile, `country` are optional.
    """

    kind: str
    person: Person | None = None
    activity: str | None = None
    place: str | None = None
    city: str | None = None
    head: str | None = None
    org: tuple[str, ...] | None = None
    reason: str | None = None
    country: str | None = None
    language: str | None = None
    weekday: int | None = None
    month: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence in one language."""

    words: Phrase
    text: str
    offsets: tuple[tuple[int, int], ...]
    """Character range of every word in `text`."""
    spans: Mapping[str, tuple[int, int]]
    """Slot to the range of words that answers a question about it."""

    @property
    def tokens(self) -> list[str]:
        return [word.form for word in self.words]

    @property
    def tags(self) -> list[str]:
        """UPOS tag of every word."""
        return [word.tag for word in self.words]

    @property
    def entity_tags(self) -> list[str]:
        """IOB2 tag (PER, LOC, ORG) of every word."""
        # Spans of different slots never overlap: each fills a slot of its own in the template.
        tags = ["O"] * len(self.words)
        for slot, kind in _ENTITY_TYPES.items():
            if slot in self.spans:
                start, end = self.spans[slot]
                tags[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
        return tags

    def characters(self, slot: str) -> tuple[int, int]:
        """Character range of the words that fill `slot`."""
        start, end = self.spans[slot]
        return self.offsets[start][0], self.offsets[end - 1][1]


def split_of(fact: Fact) -> str:
    """The one split in which sentences with this content may occur.

    Splits are made by people: of whom the test sentences tell, the training
    sentences never speak, though each of their names occurs there with another
    surname or with none.  Facts about nobody are split by all they say.  The
    split depends on the content alone, never on a seed, so what is trained on
    under one seed stays disjoint from what is tested under another.
    """
    if fact.person is not None:
        return _person_split(fact.person)
    # CRC rather than `hash`, which differs from process to process.
    content = "|".join([fact.kind, *(repr(getattr(fact, slot)) for slot in SLOTS[fact.kind])])
    return _BUCKETS[zlib.crc32(content.encode()) % 10]


_BUCKETS: Final = ("test", "test", "validation", *["train"] * 7)  # 20, 10 and 70%


def _person_split(person: Person) -> str:
    # A Latin square of names and surnames, so that every surname (and the lack
    # of one) meets every split.
    keys = structure()
    row = tuple(keys.names).index(person.name)
    column = 0 if person.surname is None else 1 + keys.surnames.index(person.surname)
    return _BUCKETS[(row + 3 * column) % 10]


@cache
def people(split: str) -> tuple[Person, ...]:
    """Everybody of a split."""
    keys = structure()
    everybody = (Person(name, surname) for name in keys.names for surname in (None, *keys.surnames))
    return tuple(person for person in everybody if _person_split(person) == split)


def draw(rng: random.Random, split: str, kind: str, **slots: Any) -> Fact:
    """A random fact of this kind that belongs to `split`; `slots` sets some of its slots."""
    # Facts are drawn until one belongs to the split: a tenth of them is the rarest share.
    for _ in range(1000):
        fact = replace(Fact(kind, **slots), **_fill(rng, split, kind, slots))
        if split_of(fact) == split:
            return fact
    raise LookupError(f"no {kind} with {slots} in {split}")


def _fill(
    rng: random.Random, split: str, kind: str, fixed_slots: Mapping[str, Any]
) -> dict[str, Any]:
    """Random values for the slots that `fixed_slots` leaves open."""
    keys = structure()
    filled: dict[str, Any] = {}
    for slot in SLOTS[kind]:
        if slot in fixed_slots:
            continue
        if slot == "person":
            # Half of the time without a surname.
            short = rng.random() < 0.5
            filled[slot] = rng.choice([p for p in people(split) if (p.surname is None) == short])
        elif slot == "activity":
            topic = (
                keys.topic_of[fixed_slots["place"]]
                if "place" in fixed_slots
                else rng.choice(keys.topics)
            )
            usable = keys.things if kind == "what" else keys.activities[topic]
            filled[slot] = rng.choice(usable)
        elif slot == "place":
            activity = fixed_slots.get("activity") or filled.get("activity")
            topic = keys.topic_of[activity] if activity else rng.choice(keys.topics)
            filled[slot] = rng.choice(keys.places[topic])
        else:
            filled[slot] = rng.choice(_choices(slot))
    return filled


def _choices(slot: str) -> tuple[Any, ...]:
    keys = structure()
    return {
        "city": keys.cities,
        "head": keys.heads,
        "org": keys.organisations,
        "reason": tuple(keys.reasons),
        "country": keys.countries,
        "language": keys.languages,
    }[slot]


def decorate(rng: random.Random, fact: Fact) -> Fact:
    """Add, now and then, a weekday or month and a country to a statement."""
    if fact.kind not in ("event", "action", "works", "lives"):
        return fact
    keys = structure()
    extra: dict[str, Any] = {}
    if fact.kind in ("event", "action") and rng.random() < 0.4:
        slot, count = rng.choice([("weekday", 7), ("month", 12)])
        extra[slot] = rng.randrange(count)
    if rng.random() < 0.3:
        extra["country"] = rng.choice(keys.countries)
    return replace(fact, **extra)


def realise(fact: Fact, language: str) -> Sentence:
    """Say `fact` in `language`."""
    words_of = lexicon(language)
    gender = structure().names[fact.person.name] if fact.person else "m"
    fillers = _fillers(fact, words_of, gender)
    words: list[Word] = []
    spans: dict[str, tuple[int, int]] = {}
    # At most one of the two is set; see `decorate`.
    for slot, number, names in (
        ("weekday", fact.weekday, words_of.weekdays),
        ("month", fact.month, words_of.months),
    ):
        if number is not None:
            # A diary's heading takes the citation form that CLDR has.
            spans[slot] = (0, len(names[number]))
            words.extend((*names[number], Word(":", "PUNCT")))
    for piece in _template(fact, words_of, gender):
        if isinstance(piece, Word):
            words.append(piece)
            continue
        for slot, filler in fillers[piece.name]:
            if slot:
                spans[slot] = _span(filler, len(words), proper=slot in _ENTITY_TYPES)
            words.extend(filler)
    return _assemble(words, spans, words_of)


def _template(fact: Fact, words_of: Lexicon, gender: str) -> Template:
    if fact.kind in QUESTIONS:
        return words_of.questions[fact.kind][gender]
    if fact.head is not None:
        part = "works" if fact.kind == "works" else "located"
        return words_of.heads[fact.head][part][gender]
    if fact.reason is not None:
        return words_of.reasons[fact.reason][gender]
    return words_of.statements[fact.kind][gender]


_Parts = list[tuple[str, Phrase]]


def _fillers(fact: Fact, words_of: Lexicon, gender: str) -> dict[str, _Parts]:
    """Template slot to the phrases that fill it, each under the name of its span."""
    fillers: dict[str, _Parts] = {}
    if fact.person is not None:
        name = words_of.names[fact.person.name]
        if fact.person.surname is not None:
            name += words_of.surnames[fact.person.surname]
        subject: _Parts = [("name", name)]
        if fact.country is not None and fact.kind != "profile":
            # Parentheses take the citation form that CLDR has.
            subject.append(("", (Word("(", "PUNCT"),)))
            subject.append(("country", words_of.countries[fact.country]))
            subject.append(("", (Word(")", "PUNCT"),)))
        fillers["subject"] = subject
    if fact.activity is not None:
        for part, forms in words_of.activities[fact.activity].items():
            fillers[part] = [(part, tuple(w for w in forms[gender] if isinstance(w, Word)))]
    if fact.place is not None:
        fillers["place"] = [("place", words_of.places[fact.place])]
    if fact.city is not None:
        fillers["city"] = [("city", words_of.cities[fact.city])]
    if fact.org is not None:
        org = tuple(word for key in fact.org for word in words_of.org_words[key])
        fillers["org"] = [("org", org)]
    if fact.country is not None:
        fillers["country"] = [("country", words_of.countries[fact.country])]
    if fact.language is not None:
        fillers["language"] = [("language", words_of.languages[fact.language])]
    return fillers


def _span(filler: Phrase, start: int, *, proper: bool) -> tuple[int, int]:
    """Word range of a filler; of its proper nouns alone for a named entity."""
    indexes = [index for index, word in enumerate(filler) if not proper or word.tag == "PROPN"]
    return start + indexes[0], start + indexes[-1] + 1


def _assemble(
    words: list[Word], spans: Mapping[str, tuple[int, int]], words_of: Lexicon
) -> Sentence:
    # Elided first: the capital belongs to the letter that is then the first.
    words = _capitalised(_elided(words, words_of), words_of)
    text = ""
    offsets: list[tuple[int, int]] = []
    for index, word in enumerate(words):
        if word.form in words_of.space_before:
            text += "\u00a0"
        elif index and not words[index - 1].glued and word.form not in _NO_SPACE_BEFORE:
            text += "" if words[index - 1].form in _NO_SPACE_AFTER else " "
        offsets.append((len(text), len(text) + len(word.form)))
        text += word.form
    return Sentence(tuple(words), text, tuple(offsets), spans)


def _elided(words: list[Word], words_of: Lexicon) -> list[Word]:
    """Shorten "que" to "qu’" before a vowel, and the like."""
    result = list(words)
    for index, word in enumerate(words[:-1]):
        initial = unicodedata.normalize("NFD", words[index + 1].form)[0].lower()
        if word.form in words_of.elision and initial in "aeiou":
            result[index] = Word(words_of.elision[word.form], word.tag, glued=True)
    return result


def _capitalised(words: list[Word], words_of: Lexicon) -> list[Word]:
    """Upper-case the first letter of the sentence."""
    result = list(words)
    index = next(index for index, word in enumerate(words) if word.tag != "PUNCT")
    initial, tail = words[index].form[0], words[index].form[1:]
    result[index] = replace(words[index], form=words_of.upper.get(initial, initial.upper()) + tail)
    return result
