"""Entity linking: find the description of the entity that a mention in a text stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from xharness.errors import UnavailableError
from xharness.spec.cards import TaskCard
from xharness.task_types import sentences
from xharness.task_types.base import (
    Example,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
)
from xharness.task_types.ranking import MAP_AT_20, RetrievalExample, rank
from xharness.task_types.search import SearchRequest, TextRole
from xharness.task_types.sentences import one_line, spelt

_BRACES = str.maketrans("{}", "()")


class EntityLinking(TaskType):
    """Which entity is meant? The index describes each entity once, in whatever language.

    Reads the shapes of Mewsli-X (Ruder et al. 2021, section 3.1): `context` is {text,
    sentence_spans}, `mention` {start, end} in that text, `wanted` the entity's id, and to learn
    from `entity` {description, sentence_spans}.
    """

    name = "entity_linking"
    fields: Mapping[str, bool] = MappingProxyType(
        {"id": False, "context": True, "mention": True, "relevant": True, "entity": False}
    )
    prediction: PredictionShape = "ranking"
    indexed = True
    candidate_role: TextRole = "passage"
    metrics: Mapping[str, Metric] = MappingProxyType({"map_at_20": MAP_AT_20})
    answered_by_search = True

    def example(self, row: Row, item: str, card: TaskCard) -> RetrievalExample:
        read = Reader(card, row, item)
        try:
            query = marked(read.value("context"), read.value("mention"), card, item)
            positive = _description(read, card, item)
        except (KeyError, TypeError, ValueError):
            raise UnavailableError(
                "this is not a mention in its context",
                where=f"card '{card.name}', item {item}",
                expected="{text: ..., sentence_spans: [...]} and {start: ..., end: ...}",
            ) from None
        return RetrievalExample(item, read.sound(query), read.text("relevant"), positive)

    def learnable(self, example: Example) -> bool:
        return isinstance(example, RetrievalExample) and bool(example.positive)

    def search(self, request: SearchRequest) -> Sequence[Prediction]:
        return rank(request)


def marked(
    context: Mapping[str, Any], mention: Mapping[str, Any], card: TaskCard, item: str
) -> str:
    """The mention, a colon, and its sentence with the mention in braces, on one line.

    So the mention survives when the query is cut, and braces mark nothing else: those of the text
    become parentheses. A mention that crosses sentences gets all that it touches.
    """
    text, start, end = str(context["text"]), int(mention["start"]), int(mention["end"])
    spans = sentences.places(context["sentence_spans"], card, item)
    first = max((one for one, _ in spans if one <= start), default=0)
    last = min((one for _, one in spans if one >= end), default=len(text))
    left, word, right = text[first:start], text[start:end], text[end:last]
    left, right = left.translate(_BRACES), right.translate(_BRACES)
    return one_line(f"{word}: {left} {{ {word} }} {right}")


def _description(read: Reader, card: TaskCard, item: str) -> str | None:
    if not read.has("entity"):
        return None
    entity = read.value("entity")
    text = read.sound(str(entity["description"]))
    return spelt(text, entity["sentence_spans"], card, item)
