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
    spans: set[tuple[str, int, int]] = set()
    previous_prefix, previous_type, first = "O", "", 0
    for index, tag in enumerate([*tags, "O"]):
        prefix, chunk_type = tag[0], tag[1:].split("-", maxsplit=1)[-1] or "_"
        type_changes = previous_type != chunk_type
        if _ends(previous_prefix, prefix, type_changes):
            spans.add((previous_type, first, index - 1))
        if _starts(previous_prefix, prefix, type_changes):
            first = index
        previous_prefix, previous_type = prefix, chunk_type
    return spans


def _ends(previous_prefix: str, prefix: str, type_changes: bool) -> bool:
    return (
        previous_prefix in "ES"
        or (previous_prefix in "BI" and prefix in "BSO")
        or (previous_prefix not in "O." and type_changes)
    )


def _starts(previous_prefix: str, prefix: str, type_changes: bool) -> bool:
    return (
        prefix in "BS"
        or (previous_prefix in "ESO" and prefix in "EI")
        or (prefix not in "O." and type_changes)
    )


def _item(
    example: _Tagged, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float, float]:
    names = card.label_names
    gold = chunks([names[tag] for tag in example.tags])
    predicted = chunks([names[tag] for tag in prediction])
    hits = len(gold & predicted)
    return float(hits), float(len(predicted) - hits), float(len(gold) - hits)


_STATISTICS = ("tp", "fp", "fn")
SPAN_F1 = Metric("span_f1", _STATISTICS, _item, f1, "micro F1 over entities, as seqeval's default")
CHUNK_F1 = Metric(
    "chunk_f1", _STATISTICS, _item, f1, "seqeval's F1 over bare tags, as XTREME scores UD-POS"
)
