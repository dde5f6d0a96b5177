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
from xharness.task_types.retrieval import MAP_AT_20, RetrievalExample, rank
from xharness.task_types.search import SearchRequest, TextRole
from xharness.task_types.sentences import joined, one_line

_BRACES = str.maketrans("{}", "()")


class EntityLinking(TaskType):
    """Which entity is meant? The index describes each entity once, in whatever language.

    Reads the shapes of Mewsli-X (Ruder et al. 2021, section 3.1): `context` is {text,
    sentence_spans}, `mention` {start, end} in that text, `relevant` the entity's id, and to learn
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
        reader = Reader(card, row, item)
        try:
            query = marked(reader.value("context"), reader.value("mention"), card, item)
            positive = _description(reader, card, item)
        except (KeyError, TypeError, ValueError):
            raise UnavailableError(
                "this is not a mention in its context",
                where=f"card '{card.name}', item {item}",
                expected="{text: ..., sentence_spans: [...]} and {start: ..., end: ...}",
            ) from None
        return RetrievalExample(item, reader.sound(query), reader.text("relevant"), positive)

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
    spans = sentences.offsets(context["sentence_spans"], card, item)
    # From the last sentence that begins by the mention's start to the first that ends past its end.
    first = max((begin for begin, _ in spans if begin <= start), default=0)
    last = min((stop for _, stop in spans if stop >= end), default=len(text))
    word = text[start:end]
    prefix, suffix = text[first:start].translate(_BRACES), text[end:last].translate(_BRACES)
    return one_line(f"{word}: {prefix} {{ {word} }} {suffix}")


def _description(reader: Reader, card: TaskCard, item: str) -> str | None:
    if not reader.has("entity"):
        return None
    entity = reader.value("entity")
    text = reader.sound(str(entity["description"]))
    return joined(text, entity["sentence_spans"], card, item)
