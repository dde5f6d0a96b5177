"""Items in words: what a card's verbalizer makes of an example, cut to what a model reads."""

from __future__ import annotations

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


def verbalizer_of(card: TaskCard) -> Verbalizer:
    """The card's verbalizer.

    Raises:
        StageError: it has none.
    """
    if card.verbalizer is None:
        raise StageError(
            f"the card '{card.name}' does not say how its items are put into words",
            hint="add a 'verbalizer' to the card, or let the model answer by heads",
        )
    return card.verbalizer


def verbalize(example: Any, card: TaskCard) -> VerbalizedItem:
    """`example` as the card says it.

    Raises:
        StageError: the card has no verbalizer, or examples of its type cannot be put into words.
    """
    verbalizer = verbalizer_of(card)
    match example:
        case ClassificationExample():
            fields = {"text": example.text, "pair": example.pair or ""}
            answers = [verbalizer.answer_text(label, fields) for label in card.labels or ()]
            return VerbalizedItem(fields, tuple(answers), answers[example.label])
        case MultipleChoiceExample():
            answers = [_cased(choice, verbalizer) for choice in example.choices]
            return VerbalizedItem(
                {"prompt": example.prompt}, tuple(answers), answers[example.label]
            )
        case ExtractiveQAExample():
            fields = {"question": example.question, "context": example.context}
            # of several right answers the data's first is learnt
            return VerbalizedItem(fields, (), example.answers[0].text if example.answers else "")
        case _:
            raise StageError(f"items of type '{card.task_type}' cannot be put into words")


def fitted_prompt(
    item: VerbalizedItem, verbalizer: Verbalizer, room: int, count: Count, *, learn: bool
) -> str:
    """The prompt in at most `room` sub-words: the longest field is cut at its end.

    `learn`: the part with the right answer is kept, as nobody could learn from the others.

    Raises:
        StageError: even without that field it is too long.
    """
    for _ in range(_TRIES):
        text = verbalizer.prompt_text(item.fields)
        if (length := count(text)) <= room:
            return text
        name = max(item.fields, key=lambda field_name: len(item.fields[field_name]))
        field_text = item.fields[name]
        field_length = max(count(field_text), 1)
        share = max(field_length - (length - room), 0) / field_length
        # By one character at least, so that every try comes nearer.
        shortened = _shortened(
            field_text, min(int(len(field_text) * share), len(field_text) - 1), item.gold * learn
        )
        item = replace(item, fields={**item.fields, name: shortened})
    raise StageError(
        f"the shortest prompt takes more than the {room} sub-words there are for it",
        hint="raise max_length, or shorten the verbalizer's prompt",
    )


def _shortened(text: str, length: int, answer: str) -> str:
    """`length` characters of `text`: the first ones, or those that end with what is wanted."""
    end = text.find(answer) + len(answer) if answer else 0
    first = max(end - length, 0)
    return text[first : first + max(length, 0)]


def _cased(text: str, verbalizer: Verbalizer) -> str:
    return text[:1].lower() + text[1:] if verbalizer.lowercase else text
