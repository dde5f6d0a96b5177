"""The kinds of task the harness ships: one module each, plus `base` with what a kind is."""

from __future__ import annotations

from xharness.task_types.base import (
    AnswerRepairs,
    Example,
    Floats,
    Metric,
    Prediction,
    PredictionShape,
    Reader,
    Row,
    TaskType,
    f1,
    ratio,
)
from xharness.task_types.bitext_mining import BitextMining, BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample, BitextRetrieval
from xharness.task_types.checklist import Checklist, ChecklistExample
from xharness.task_types.classification import Classification, ClassificationExample
from xharness.task_types.corpus import Corpus, PassageExample
from xharness.task_types.entity_linking import EntityLinking
from xharness.task_types.extractive_qa import ExtractiveQA, ExtractiveQAExample, GoldAnswer
from xharness.task_types.extractive_qa_unanswerable import ExtractiveQAUnanswerable
from xharness.task_types.multiple_choice import MultipleChoice, MultipleChoiceExample
from xharness.task_types.ranking import RetrievalExample
from xharness.task_types.retrieval import Retrieval
from xharness.task_types.search import (
    CandidateIndex,
    Encode,
    SearchRequest,
    TextRole,
    build_index,
)
from xharness.task_types.tagging import Tagging, TaggingExample

BUILTIN: tuple[TaskType, ...] = (
    Classification(),
    MultipleChoice(),
    Tagging(),
    ExtractiveQA(),
    ExtractiveQAUnanswerable(),
    Checklist(),
    BitextRetrieval(),
    Corpus(),
    Retrieval(),
    EntityLinking(),
    BitextMining(),
)

__all__ = [
    "BUILTIN",
    "AnswerRepairs",
    "BitextExample",
    "BitextMining",
    "BitextMiningExample",
    "BitextRetrieval",
    "CandidateIndex",
    "Checklist",
    "ChecklistExample",
    "Classification",
    "ClassificationExample",
    "Corpus",
    "Encode",
    "EntityLinking",
    "Example",
    "ExtractiveQA",
    "ExtractiveQAExample",
    "ExtractiveQAUnanswerable",
    "Floats",
    "GoldAnswer",
    "Metric",
    "MultipleChoice",
    "MultipleChoiceExample",
    "PassageExample",
    "Prediction",
    "PredictionShape",
    "Reader",
    "Retrieval",
    "RetrievalExample",
    "Row",
    "SearchRequest",
    "Tagging",
    "TaggingExample",
    "TaskType",
    "TextRole",
    "build_index",
    "f1",
    "ratio",
]  # fmt: skip
