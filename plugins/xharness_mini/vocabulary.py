"""Reads the language files and CLDR into typed, checked lexicons.

A phrase in a language file is written `word/TAG word/TAG`, TAG being a
universal part-of-speech tag (https://universaldependencies.org/u/pos/).  A
`~` after the tag joins the word to the next one (`l’/DET~ école/NOUN`).
Tags are those of whole orthographic words: a contraction such as German
"im" is one ADP.  `{slot}` in a template is filled by another phrase.

An entry that has to agree with a person gives two forms, `m` and `f`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml
from babel import Locale

UPOS: Final = frozenset({
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN",
    "PUNCT", "SCONJ", "SYM", "VERB", "X",
})  # fmt: skip

LANGUAGES: Final = ("en", "de", "es", "fr", "tr", "sw", "ru", "el", "hi", "ar")


@dataclass(frozen=True, slots=True)
class Word:
    """One token: its form, its UPOS tag, and whether the next token follows
    without a space."""

    form: str
    tag: str
    glued: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a template that another phrase fills."""

    name: str


Phrase = tuple[Word, ...]
Template = tuple[Word | Slot, ...]
Gendered = Mapping[str, Template]
"""Gender ("m" or "f") to the form that agrees with it."""


@dataclass(frozen=True)
class Structure:
    """The keys that every lexicon has entries for, and how they combine."""

    names: Mapping[str, str]
    """Person to grammatical gender."""
    surnames: tuple[str, ...]
    cities: tuple[str, ...]
    organisations: tuple[tuple[str, ...], ...]
    heads: tuple[str, ...]
    countries: tuple[str, ...]
    languages: tuple[str, ...]
    topics: tuple[str, ...]
    topic_of: Mapping[str, str]
    """Activity, place or reason to topic."""
    activities: Mapping[str, tuple[str, ...]]
    """Topic to its activities."""
    places: Mapping[str, tuple[str, ...]]
    """Topic to its places."""
    reasons: Mapping[str, tuple[str, ...]]
    """Reason to the activities it explains."""
    things: tuple[str, ...]
    """Activities whose object a "what" question asks for."""


@dataclass(frozen=True)
class Lexicon:
    """Every word of one language, by key."""

    language: str
    script: str
    names: Mapping[str, Phrase]
    surnames: Mapping[str, Phrase]
    org_words: Mapping[str, Phrase]
    cities: Mapping[str, Phrase]
    places: Mapping[str, Phrase]
    activities: Mapping[str, Mapping[str, Gendered]]
    """Activity to its parts (`verb`, `object` and, in English, `base`)."""
    heads: Mapping[str, Mapping[str, Gendered]]
    """Kind of organisation to the templates `works` and `located`."""
    reasons: Mapping[str, Gendered]
    statements: Mapping[str, Gendered]
    questions: Mapping[str, Gendered]
    countries: Mapping[str, Phrase]
    languages: Mapping[str, Phrase]
    weekdays: tuple[Phrase, ...]
    """Monday first."""
    months: tuple[Phrase, ...]
    """January first."""
    space_before: str = ""
    elision: Mapping[str, str] = field(default_factory=dict)
    upper: Mapping[str, str] = field(default_factory=dict)


_PIECE = re.compile(r"\{(?P<slot>\w+)\}|(?P<form>[^\s/]+)/(?P<tag>[A-Z]+)(?P<glue>~?)")


def parse(source: str) -> Template:
    """Read `word/TAG` and `{slot}` pieces; ValueError on anything else."""
    pieces: list[Word | Slot] = []
    for raw in source.split():
        match = _PIECE.fullmatch(raw)
        if match is None:
            raise ValueError(f"lexicon phrase {source!r}: {raw!r} is not word/TAG or {{slot}}")
        if match["slot"]:
            pieces.append(Slot(match["slot"]))
        elif match["tag"] in UPOS:
            pieces.append(Word(match["form"], match["tag"], bool(match["glue"])))
        else:
            raise ValueError(f"lexicon phrase {source!r}: {match['tag']!r} is not a UPOS tag")
    return tuple(pieces)


def _phrase(source: str) -> Phrase:
    words = tuple(piece for piece in parse(source) if isinstance(piece, Word))
    # A phrase fills a slot, so a slot within it would never be filled.
    if len(words) != len(source.split()):
        raise ValueError(f"lexicon phrase {source!r} may not have slots")
    return words


def _gendered(entry: str | Mapping[str, str]) -> Gendered:
    if isinstance(entry, str):
        template = parse(entry)
        return {"m": template, "f": template}
    if set(entry) != {"m", "f"}:
        raise ValueError(f"lexicon entry {entry!r} needs exactly the forms m and f")
    return {gender: parse(form) for gender, form in entry.items()}


def _read(stem: str) -> dict[str, Any]:
    source = files("xharness_mini").joinpath("lexicon", f"{stem}.yaml")
    data = yaml.safe_load(source.read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@cache
def structure() -> Structure:
    """The shared keys (`lexicon/structure.yaml`)."""
    raw = _read("structure")
    topics: dict[str, dict[str, list[str]]] = raw["topics"]
    topic_of = {
        key: topic for topic, parts in topics.items() for keys in parts.values() for key in keys
    }
    for reason, explained in raw["reasons"].items():
        # One topic, or the unpacking fails: a reason across topics would make `choice` ambiguous.
        (topic_of[reason],) = {topic_of[activity] for activity in explained}
    return Structure(
        names=raw["names"],
        surnames=tuple(raw["surnames"]),
        cities=tuple(raw["cities"]),
        organisations=tuple(tuple(words) for words in raw["organisations"]),
        heads=tuple(raw["heads"]),
        countries=tuple(raw["countries"]),
        languages=tuple(raw["languages"]),
        topics=tuple(topics),
        topic_of=topic_of,
        activities={topic: tuple(parts["activities"]) for topic, parts in topics.items()},
        places={topic: tuple(parts["places"]) for topic, parts in topics.items()},
        reasons={reason: tuple(keys) for reason, keys in raw["reasons"].items()},
        things=tuple(raw["things"]),
    )


def _cldr(name: str, tag: str) -> Phrase:
    return tuple(Word(part, tag) for part in name.split())


@cache
def lexicon(language: str) -> Lexicon:
    """The words of `language`, one of LANGUAGES."""
    raw = _read(language)
    shared = structure()
    locale = Locale(language)
    tags = raw["cldr_tags"]
    # The "format" context unless the language file says otherwise: for most
    # locales "stand-alone" is an alias, and Babel stores a resolved alias in
    # data that other locales share, so that Greek weekdays read after Swahili
    # ones come out in Swahili (python-babel/babel issue 1234).  Weekday names
    # are nominative in the "format" context of all our languages; month names
    # are not in Russian and Greek, which have "stand-alone" data of their own.
    weekdays = locale.days["format"]["wide"]
    months = locale.months[raw.get("cldr_month_context", "format")]["wide"]
    return Lexicon(
        language=language,
        script=raw["script"],
        names={key: _phrase(raw["names"][key]) for key in shared.names},
        surnames={key: _phrase(raw["surnames"][key]) for key in shared.surnames},
        org_words={key: _phrase(form) for key, form in raw["org_words"].items()},
        cities={key: _phrase(raw["cities"][key]) for key in shared.cities},
        places={
            key: _phrase(raw["places"][key]) for keys in shared.places.values() for key in keys
        },
        activities={
            key: {part: _gendered(form) for part, form in raw["activities"][key].items()}
            for keys in shared.activities.values()
            for key in keys
        },
        heads={
            key: {part: _gendered(form) for part, form in raw["heads"][key].items()}
            for key in shared.heads
        },
        reasons={key: _gendered(raw["reasons"][key]) for key in shared.reasons},
        statements={key: _gendered(form) for key, form in raw["statements"].items()},
        questions={key: _gendered(form) for key, form in raw["questions"].items()},
        countries={code: _cldr(locale.territories[code], "PROPN") for code in shared.countries},
        languages={
            code: _cldr(locale.languages[code], tags["language"]) for code in shared.languages
        },
        weekdays=tuple(_cldr(weekdays[day], tags["weekday"]) for day in range(7)),
        months=tuple(_cldr(months[month], tags["month"]) for month in range(1, 13)),
        space_before=raw.get("space_before", ""),
        elision=raw.get("elision", {}),
        upper=raw.get("upper", {}),
    )
