"""Tagging: one label for each word of a sentence, scored word by word or in chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Protocol

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types.base import (
    ConstantAnswer,
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    f1,
    label_index,
    ratio,
)

# Chunks and their F1 exactly as seqeval's default mode counts them, with the rules of conlleval:
# the first character of a tag is its prefix, the rest its type. Bare part-of-speech tags go through
# the same rules in XTREME, with consequences the cards name: runs of one tag are one chunk, CCONJ
# and SCONJ have one type. One difference is deliberate: seqeval 1.2.2 joins the sentences of a
# corpus and then loses where an X at the beginning of a sentence starts, so that it is right or
# wrong with the last word of the sentence before; here each sentence is counted alone.

_MOST_TAGS = 2  # constant answers tried: no entity, and the commonest one


class _Tagged(Protocol):
    @property
    def tags(self) -> Sequence[int]: ...


def chunks(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """(type, first, last) of each chunk in `tags`."""
    spans: set[tuple[str, int, int]] = set()
    previous_prefix, previous_type, first = "O", "", 0
    # One tag more, outside any chunk, closes a chunk that reaches the last word.
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


@dataclass(frozen=True, slots=True)
class TaggingExample:
    """The words of a sentence, and for each the index of its tag in the card's labels."""

    id: str
    tokens: tuple[str, ...]
    tags: tuple[int, ...]


def _token_accuracy(
    example: TaggingExample, prediction: Prediction, card: TaskCard, language: str
) -> tuple[float, float]:
    right = sum(gold == answer for gold, answer in zip(example.tags, prediction, strict=True))
    return float(right), float(len(example.tags))


TOKEN_ACCURACY = Metric(
    "token_accuracy", ("correct", "tokens"), _token_accuracy, ratio, "share of words tagged right"
)


class Tagging(TaskType):
    """Which label does each word carry?"""

    name = "tagging"
    fields: Mapping[str, bool] = MappingProxyType({"tokens": True, "tags": True})
    prediction: PredictionShape = "ints"
    metrics: Mapping[str, Metric] = MappingProxyType(
        {metric.name: metric for metric in (SPAN_F1, CHUNK_F1, TOKEN_ACCURACY)}
    )

    def example(self, row: Row, item: str, card: TaskCard) -> TaggingExample:
        reader = Reader(card, row, item)
        tokens = reader.texts("tokens")
        tags = tuple(label_index(tag, card, item) for tag in reader.value("tags"))
        if len(tags) != len(tokens):
            raise UnavailableError(
                f"{len(tokens)} words but {len(tags)} tags",
                where=f"card '{card.name}', item {item}",
            )
        return TaggingExample(item, tokens, tags)

    def num_parts(self, example: TaggingExample) -> int | None:
        return len(example.tokens)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, TaggingExample) and bool(example.tokens)

    def constant_answers(self, examples: Collection[TaggingExample]) -> Iterable[ConstantAnswer]:
        counts = Counter(tag for example in examples for tag in example.tags)
        return [partial(_tag_each, tag) for tag, _ in counts.most_common(_MOST_TAGS)]


def _tag_each(tag: int, example: TaggingExample) -> list[int]:
    return [tag] * len(example.tags)
