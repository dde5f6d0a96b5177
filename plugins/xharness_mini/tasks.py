"""Rows of every task, in every language, made from a seed.

Each task first draws language-free items (facts and a label) and then says them in the language
asked for, so row *n* of a split has the same content and the same id in all languages. Items of a
split are built only from facts that `sentences.split_of` gives to that split.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from xharness import suggestion
from xharness_mini.sentences import (
    QUESTIONS,
    STATEMENTS,
    Fact,
    decorate,
    draw,
    people,
    realise,
)
from xharness_mini.vocabulary import LANGUAGES, structure

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """What a row is about, before any language."""

    facts: tuple[Fact, ...]
    label: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _RowMaker:
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    classes: int
    """Labels to balance; 1 where a row has no label of its own."""
    make: Callable[[random.Random, str, int], Item]
    """(rng, split, label) -> item; LookupError when the draw got stuck."""
    render: Callable[[Item, str], Row]
    """(item, language) -> row without its id."""
    pairs: bool = False
    """Whether every row pairs English with the language."""


def _text(facts: Sequence[Fact], language: str) -> str:
    return " ".join(realise(fact, language).text for fact in facts)


# --- nli: does the hypothesis follow from what the premise says of a person?


def _make_nli(rng: random.Random, split: str, label: int) -> Item:
    """Premise and hypothesis state one fact each about the same person.

    Entailment: the hypothesis follows from the premise. Contradiction: it puts the person
    somewhere else. Neutral: it is about something that the premise leaves open. Every label has
    every kind of premise and of hypothesis equally often, so neither alone gives the label away.
    """
    premise_kind, hypothesis_kind = rng.choice([("event", "located"), ("lives", "lives")])
    premise = decorate(rng, draw(rng, split, premise_kind))
    if label == 1:
        hypothesis_kind = "lives" if hypothesis_kind == "located" else "located"
        return Item((premise, draw(rng, split, hypothesis_kind, person=premise.person)), label)
    slot = _CONTENT[hypothesis_kind]
    if label == 0:
        repeated = {slot: getattr(premise, slot)}
        hypothesis = draw(rng, split, hypothesis_kind, person=premise.person, **repeated)
    else:
        hypothesis = draw(rng, split, hypothesis_kind, person=premise.person)
        # Such a pair would be an entailment by chance.
        if _meaning(hypothesis) == _meaning(premise):
            raise LookupError("drew the same content twice")
    return Item((premise, hypothesis), label)


_CONTENT: Final = {"located": "place", "lives": "city"}


def _meaning(fact: Fact) -> str | None:
    """What sets places apart: the topic they belong to, or the city."""
    return fact.city or structure().topic_of[fact.place or ""]


def _render_nli(item: Item, language: str) -> Row:
    premise, hypothesis = (realise(fact, language).text for fact in item.facts)
    return {"premise": premise, "hypothesis": hypothesis, "label": item.label}


# --- topic: what is the text about?


def _make_topic(rng: random.Random, split: str, label: int) -> Item:
    keys = structure()
    topic = keys.topics[label]
    activity = rng.choice(keys.activities[topic])
    # Half of the texts give a reason as well, where one explains the activity.
    reasons = [reason for reason, explained in keys.reasons.items() if activity in explained]
    if not reasons or rng.random() < 0.5:
        return Item((decorate(rng, draw(rng, split, "event", activity=activity)),), label)
    reason = draw(rng, split, "reason", reason=rng.choice(reasons))
    action = draw(rng, split, "action", activity=activity, person=reason.person)
    return Item((reason, action), label)


def _render_topic(item: Item, language: str) -> Row:
    return {"text": _text(item.facts, language), "label": item.label}


# --- choice: which alternative is the cause (or the effect) of the premise?


def _make_choice(rng: random.Random, split: str, label: int) -> Item:
    keys = structure()
    reason = rng.choice(list(keys.reasons))
    activity = rng.choice(keys.reasons[reason])
    topic = keys.topic_of[reason]
    cause = draw(rng, split, "reason", reason=reason)
    person = cause.person
    effect = draw(rng, split, "action", activity=activity, person=person)
    # The wrong alternative is about another topic, or it could be right as well.
    other_topic = rng.choice([topic_name for topic_name in keys.topics if topic_name != topic])
    question = rng.choice(["cause", "effect"])
    if question == "cause":
        wrong_reason = rng.choice([r for r in keys.reasons if keys.topic_of[r] == other_topic])
        premise, right = effect, cause
        wrong = draw(rng, split, "reason", reason=wrong_reason, person=person)
    else:
        wrong_activity = rng.choice(keys.activities[other_topic])
        premise, right = cause, effect
        wrong = draw(rng, split, "action", activity=wrong_activity, person=person)
    choices = (right, wrong) if label == 0 else (wrong, right)
    return Item((premise, *choices), label, question)


def _render_choice(item: Item, language: str) -> Row:
    premise, choice1, choice2 = (realise(fact, language).text for fact in item.facts)
    return {
        "premise": premise,
        "question": item.kind,
        "choice1": choice1,
        "choice2": choice2,
        "label": item.label,
    }


# --- pos, ner: one tag for each word


def _make_pos(rng: random.Random, split: str, label: int) -> Item:
    kinds = STATEMENTS if rng.random() < 0.8 else QUESTIONS
    return Item((decorate(rng, draw(rng, split, rng.choice(kinds))),))


def _render_pos(item: Item, language: str) -> Row:
    sentence = realise(item.facts[0], language)
    return {"tokens": sentence.tokens, "tags": sentence.tags}


def _make_ner(rng: random.Random, split: str, label: int) -> Item:
    kind = rng.choice(["event", "works", "works", "lives", "seat", "profile"])
    return Item((decorate(rng, draw(rng, split, kind)),))


def _render_ner(item: Item, language: str) -> Row:
    sentence = realise(item.facts[0], language)
    return {"tokens": sentence.tokens, "tags": sentence.entity_tags}


# --- qa: find the words that answer the question

_ANSWER: Final = {
    # question: (kind of the fact that answers it, slot of the answer)
    "who": ("event", "name"),
    "what": ("event", "object"),
    "where": ("event", "place"),
    "day": ("event", "weekday"),
    "country": ("profile", "country"),
    "language": ("profile", "language"),
    "work": ("works", "org"),
    "home": ("lives", "city"),
}


def _make_qa(rng: random.Random, split: str, label: int) -> Item:
    """Three sentences about one person; the question is about one of them."""
    question_kind = rng.choice(list(_ANSWER))
    question = draw(rng, split, question_kind)
    person = question.person or rng.choice(people(split))
    kind, _ = _ANSWER[question_kind]
    other_kinds = rng.sample([k for k in ("event", "profile", "works", "lives") if k != kind], 2)
    context_slots = {slot: getattr(question, slot) for slot in ("activity", "place")}
    context = []
    for fact_kind in (kind, *other_kinds):
        slots = {
            slot: value for slot, value in context_slots.items() if value and fact_kind == "event"
        }
        fact = draw(rng, split, fact_kind, person=person, **slots)
        context.append(replace(fact, weekday=rng.randrange(7)) if fact_kind == "event" else fact)
    # Or the answer would always stand in the first sentence.
    rng.shuffle(context)
    return Item((question, *context), kind=question_kind)


def _render_qa(item: Item, language: str) -> Row:
    question, *context = item.facts
    kind, slot = _ANSWER[item.kind]
    text, answer, start = "", "", -1
    for fact in context:
        sentence = realise(fact, language)
        text += " " if text else ""
        if fact.kind == kind:
            first, last = sentence.characters(slot)
            answer, start = sentence.text[first:last], len(text) + first
        text += sentence.text
    return {
        "question": realise(question, language).text,
        "context": text,
        "answers": {"text": [answer], "answer_start": [start]},
    }


# --- bitext, parallel: English and its translation


def _make_bitext(rng: random.Random, split: str, label: int) -> Item:
    kinds = ["event"] * 4 + ["profile"] * 2
    kinds += ["action", "located", "lives", "works", "seat", "reason"]
    return Item((decorate(rng, draw(rng, split, rng.choice(kinds))),))


def _make_parallel(rng: random.Random, split: str, label: int) -> Item:
    if rng.random() < 0.3:
        # "What" twice as often: it tells a verb from the object it comes with.
        return Item((draw(rng, split, rng.choice([*QUESTIONS, "what"])),))
    return _make_bitext(rng, split, label)


def _render_pair(item: Item, language: str) -> Row:
    return {"source": _text(item.facts, "en"), "target": _text(item.facts, language)}


_ALL: Final = ("train", "validation", "test")
_UPOS_USED: Final = (
    "ADJ", "ADP", "ADV", "AUX", "DET", "NOUN", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "VERB",
)  # fmt: skip
_IOB: Final = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
_NLI: Final = ("entailment", "neutral", "contradiction")

_TASKS: Final = {
    "nli": _RowMaker(("premise", "hypothesis", "label"), _NLI, _ALL, 3, _make_nli, _render_nli),
    "topic": _RowMaker(
        ("text", "label"), structure().topics, _ALL, len(structure().topics),
        _make_topic, _render_topic,
    ),
    "choice": _RowMaker(
        ("premise", "question", "choice1", "choice2", "label"), ("choice1", "choice2"), _ALL, 2,
        _make_choice, _render_choice,
    ),
    "pos": _RowMaker(("tokens", "tags"), _UPOS_USED, _ALL, 1, _make_pos, _render_pos),
    "ner": _RowMaker(("tokens", "tags"), _IOB, _ALL, 1, _make_ner, _render_ner),
    "qa": _RowMaker(("question", "context", "answers"), (), _ALL, 1, _make_qa, _render_qa),
    "bitext": _RowMaker(
        ("source", "target"), (), ("validation", "test"), 1, _make_bitext, _render_pair, pairs=True
    ),
    "parallel": _RowMaker(
        ("source", "target"), (), ("train", "validation"), 1, _make_parallel, _render_pair,
        pairs=True,
    ),
}  # fmt: skip

TASKS: Final = tuple(_TASKS)
LABELS: Final = {name: task.labels for name, task in _TASKS.items() if task.labels}
COLUMNS: Final = {name: ("id", *task.columns) for name, task in _TASKS.items()}


def languages(task: str) -> tuple[str, ...]:
    """Languages that `task` has rows in; English is the other side of a pair."""
    pairs = _TASKS[_checked("task", task, TASKS)].pairs
    return tuple(language for language in LANGUAGES if not (pairs and language == "en"))


def splits(task: str) -> tuple[str, ...]:
    """Splits that `task` has."""
    return _TASKS[_checked("task", task, TASKS)].splits


def rows(task: str, language: str, split: str, *, seed: int, size: int) -> Iterator[Row]:
    """`size` distinct rows; their content depends on everything but `language`.

    Raises:
        ValueError: before the first row, for an unknown task, language or split, and where the
            split cannot give `size` distinct rows.
    """
    _checked("language", language, languages(task), task=task)
    _checked("split", split, splits(task), task=task)
    if size < 0:
        raise ValueError(f"size must not be negative, got {size}")
    items = _items(task, split, seed, size)
    return (
        {"id": f"{task}-{split}-{index:05d}", **_rendered(task, language, item)}
        for index, item in enumerate(items)
    )


# A study asks for the rows of a test split once for each arm, and again to score its answers.
@lru_cache(maxsize=1 << 14)
def _rendered(task: str, language: str, item: Item) -> Row:
    return _TASKS[task].render(item, language)


@lru_cache(maxsize=16)
def _items(task: str, split: str, seed: int, size: int) -> tuple[Item, ...]:
    # The language stays out: row n says the same in all of them.
    rng = random.Random(f"{seed}-{task}-{split}")
    spec = _TASKS[task]
    # Equally many of each label, so that the majority is no better than chance.
    labels = [index % spec.classes for index in range(size)]
    rng.shuffle(labels)
    items: dict[Item, None] = {}
    for label in labels:
        # Draws get rarer as rows run out; then it is better to say so than to search for ever.
        for _ in range(200):
            try:
                item = spec.make(rng, split, label)
            except LookupError:
                continue
            if item not in items:
                items[item] = None
                break
        else:
            raise ValueError(
                f"mini has about {len(items)} distinct rows for {task}/{split}, "
                f"not {size}: ask for fewer"
            )
    return tuple(items)


def _checked(noun: str, value: str, valid: Sequence[str], *, task: str = "") -> str:
    """`value`.

    Raises:
        ValueError: it is not valid; names the nearest that is.
    """
    if value in valid:
        return value
    suffix = f" of '{task}'" if task else ""
    raise ValueError(f"mini has no {noun} '{value}'{suffix}; {suggestion(value, valid)}")
