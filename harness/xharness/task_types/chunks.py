"""Chunks of a tag sequence, and F1 over them, exactly as seqeval's default mode counts.

The rules are those of conlleval, which seqeval 1.2.2 follows: the first character of a tag is its
prefix, the rest its type. Bare part-of-speech tags go through the same rules in XTREME, with
consequences the cards name: runs of one tag are one chunk, CCONJ and SCONJ have one type.

One difference is deliberate. seqeval joins the sentences of a corpus and then loses where an X at
the beginning of a sentence starts, so that it is right or wrong with the last word of the sentence
before; here each sentence is counted alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from xharness.spec.cards import TaskCard
from xharness.task_types.base import Metric, Prediction, f1


class _Tagged(Protocol):
    @property
    def tags(self) -> Sequence[int]: ...


def chunks(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """(type, first, last) of each chunk in `tags`."""
    found: set[tuple[str, int, int]] = set()
    before, before_type, first = "O", "", 0
    for place, tag in enumerate([*tags, "O"]):
        prefix, kind = tag[0], tag[1:].split("-", maxsplit=1)[-1] or "_"
        if _ends(before, prefix, before_type != kind):
            found.add((before_type, first, place - 1))
        if _starts(before, prefix, before_type != kind):
            first = place
        before, before_type = prefix, kind
    return found


def _ends(before: str, prefix: str, other_type: bool) -> bool:
    return (
        before in "ES"
        or (before in "BI" and prefix in "BSO")
        or (before not in "O." and other_type)
    )


def _starts(before: str, prefix: str, other_type: bool) -> bool:
    return (
        prefix in "BS"
        or (before in "ESO" and prefix in "EI")
        or (prefix not in "O." and other_type)
    )


def _item(
    example: _Tagged, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float, float]:
    names = card.label_names
    gold = chunks([names[tag] for tag in example.tags])
    given = chunks([names[tag] for tag in prediction])
    hits = len(gold & given)
    return float(hits), float(len(given) - hits), float(len(gold) - hits)


_STATISTICS = ("tp", "fp", "fn")
SPAN_F1 = Metric("span_f1", _STATISTICS, _item, f1, "micro F1 over entities, as seqeval's default")
CHUNK_F1 = Metric(
    "chunk_f1", _STATISTICS, _item, f1, "seqeval's F1 over bare tags, as XTREME scores UD-POS"
)
