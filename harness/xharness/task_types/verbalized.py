"""Items in words: what a card's verbalizer makes of an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xharness.errors import StageError
from xharness.spec.cards import TaskCard
from xharness.spec.verbalizer import Verbalizer
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.extractive_qa import ExtractiveQAExample
from xharness.task_types.multiple_choice import MultipleChoiceExample


@dataclass(frozen=True)
class VerbalizedItem:
    """One item: the fields of its prompt, and the answers it may have."""

    fields: Mapping[str, str]
    """What `card.verbalizer.prompt_text` fills in."""
    answers: tuple[str, ...]
    """What may be answered, in the order of labels or choices; empty where it is written freely."""
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
    """`example` as the card says it, for models that answer in words.

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


def _cased(text: str, verbalizer: Verbalizer) -> str:
    return text[:1].lower() + text[1:] if verbalizer.lowercase else text
