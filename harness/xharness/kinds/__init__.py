"""The kinds of task the harness ships: one module each, plus `base` with what a kind is."""

from __future__ import annotations

from xharness.kinds.base import (
    Composed,
    Example,
    Floats,
    Kind,
    Metric,
    Prediction,
    Reader,
    Row,
    Translatable,
    kind_asked,
    ratio,
)
from xharness.kinds.bitext import Bitext, BitextExample
from xharness.kinds.checklist import Checklist, ChecklistExample
from xharness.kinds.choice import Choice, ChoiceExample
from xharness.kinds.classification import Classification, ClassificationExample
from xharness.kinds.linking import Linking
from xharness.kinds.mining import Mining, MiningExample
from xharness.kinds.passage import Passage, PassageExample
from xharness.kinds.ranking import RetrievalExample
from xharness.kinds.retrieval import Retrieval
from xharness.kinds.span import Answer, Span, SpanExample
from xharness.kinds.span_or_none import SpanOrNone
from xharness.kinds.tagging import Tagging, TaggingExample
from xharness.kinds.together import Asked, Encode, Pool, TextRole, Together, pool

SHIPPED: tuple[Kind, ...] = (
    Classification(),
    Choice(),
    Tagging(),
    Span(),
    SpanOrNone(),
    Checklist(),
    Bitext(),
    Passage(),
    Retrieval(),
    Linking(),
    Mining(),
)

__all__ = [
    "SHIPPED", "Answer", "Asked", "Bitext", "BitextExample", "Checklist", "ChecklistExample",
    "Choice", "ChoiceExample", "Classification", "ClassificationExample", "Composed", "Encode",
    "Example", "Floats", "Kind", "Linking", "Metric", "Mining", "MiningExample", "Passage",
    "PassageExample", "Pool", "Prediction", "Reader", "Retrieval", "RetrievalExample", "Row",
    "Span", "SpanExample", "SpanOrNone", "Tagging", "TaggingExample", "TextRole", "Together",
    "Translatable", "kind_asked", "pool", "ratio",
]  # fmt: skip
