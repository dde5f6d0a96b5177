"""The kinds of task the harness ships: one module each, plus `base` with what a kind is."""

from __future__ import annotations

from xharness.kinds.base import Example, Floats, Kind, Metric, Prediction, Reader, Row, ratio
from xharness.kinds.bitext import Bitext, BitextExample
from xharness.kinds.choice import Choice, ChoiceExample
from xharness.kinds.classification import Classification, ClassificationExample
from xharness.kinds.span import Answer, Span, SpanExample
from xharness.kinds.tagging import Tagging, TaggingExample

SHIPPED: tuple[Kind, ...] = (Classification(), Choice(), Tagging(), Span(), Bitext())

__all__ = [
    "SHIPPED", "Answer", "Bitext", "BitextExample", "Choice", "ChoiceExample", "Classification",
    "ClassificationExample", "Example", "Floats", "Kind", "Metric", "Prediction", "Reader", "Row",
    "Span", "SpanExample", "Tagging", "TaggingExample", "ratio",
]  # fmt: skip
