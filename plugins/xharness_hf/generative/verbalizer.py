"""Items in words: what a card's verbaliser makes of an example, cut to what a model reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from xharness import (
    ClassificationExample,
    ExtractiveQAExample,
    MultipleChoiceExample,
    StageError,
    TaskCard,
    Verbalizer,
)

_FIELD = re.compile(r"\{(\w+)\}")
_TRIES = 8  # cuts of a field until the prompt is short enough; each aims at the right length
Count = Callable[[str], int]
"""How many sub-words a text has."""


@dataclass(frozen=True)
class VerbalizedItem:
    """One item: the fields of its prompt, and the answers it may have."""

    fields: Mapping[str, str]
    answers: tuple[str, ...]
    """What may be answered; empty where the answer is written freely."""
    gold: str
    """The right answer, "" where the data knows none."""


def verbaliser(card: TaskCard) -> Verbalizer:
    """The card's verbaliser.

    Raises:
        StageError: it has none.
    """
    if card.verbalizer is None:
        raise StageError(
            f"the card '{card.name}' does not say how its items are put into words",
            hint="add a 'verbaliser' to the card, or let the model answer by heads",
        )
    return card.verbalizer


def question(example: Any, card: TaskCard) -> VerbalizedItem:
    """`example` as the card says it.

    Raises:
        StageError: the card has no verbaliser, or examples of its kind cannot be said.
    """
    spoken = verbaliser(card)
    match example:
        case ClassificationExample():
            fields = {"text": example.text, "pair": example.pair or ""}
            said = [fill(spoken.answers[label], fields) for label in card.labels or ()]
            return VerbalizedItem(fields, tuple(said), said[example.label])
        case MultipleChoiceExample():
            said = [_begun(choice, spoken) for choice in example.choices]
            return VerbalizedItem({"prompt": example.prompt}, tuple(said), said[example.label])
        case ExtractiveQAExample():
            fields = {"question": example.question, "context": example.context}
            return VerbalizedItem(fields, (), example.answers[0].text if example.answers else "")
        case _:
            raise StageError(f"items of kind '{card.task_type}' cannot be put into words")


def prompt(asked: VerbalizedItem, spoken: Verbalizer) -> str:
    """What stands before the answer and the separator."""
    text = fill(spoken.prompt, asked.fields)
    for pattern, put in spoken.replace.items():
        text = re.sub(pattern, put, text)
    return text


def fill(template: str, fields: Mapping[str, str]) -> str:
    """`template` with every `{field}` filled in."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), template)


def fitted(
    asked: VerbalizedItem, spoken: Verbalizer, room: int, count: Count, *, learn: bool
) -> str:
    """The prompt in at most `room` sub-words: the longest field is cut at its end.

    `learn`: the part with the right answer is kept, as nobody could learn from the others.

    Raises:
        StageError: even without that field it is too long.
    """
    for _ in range(_TRIES):
        text = prompt(asked, spoken)
        if (length := count(text)) <= room:
            return text
        name = max(asked.fields, key=lambda one: len(asked.fields[one]))
        whole = asked.fields[name]
        own = max(count(whole), 1)
        share = max(own - (length - room), 0) / own
        cut = _cut(whole, min(int(len(whole) * share), len(whole) - 1), asked.gold * learn)
        asked = replace(asked, fields={**asked.fields, name: cut})
    raise StageError(
        f"the shortest prompt takes more than the {room} sub-words there are for it",
        hint="raise max_length, or shorten the verbaliser's prompt",
    )


def _cut(text: str, length: int, wanted: str) -> str:
    """`length` characters of `text`: the first ones, or those that end with what is wanted."""
    end = text.find(wanted) + len(wanted) if wanted else 0
    first = max(end - length, 0)
    return text[first : first + max(length, 0)]


def _begun(text: str, spoken: Verbalizer) -> str:
    return text[:1].lower() + text[1:] if spoken.lowercase else text
