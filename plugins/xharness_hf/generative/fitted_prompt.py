"""Prompts cut to what a model reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xharness import StageError, VerbalizedItem, Verbalizer

_TRIES = 8  # cuts of a field until the prompt is short enough; each aims at the right length
Count = Callable[[str], int]
"""How many sub-words a text has."""


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
        kept_share = max(field_length - (length - room), 0) / field_length
        # By one character at least, so that every try comes nearer.
        shortened = _shortened(
            field_text,
            min(int(len(field_text) * kept_share), len(field_text) - 1),
            item.gold * learn,
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
