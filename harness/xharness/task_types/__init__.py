"""The built-in task types, one module each, on top of `base`, which says what a task type is."""

from __future__ import annotations

from xharness.task_types.base import TaskType
from xharness.task_types.bitext_mining import BitextMining
from xharness.task_types.bitext_retrieval import BitextRetrieval
from xharness.task_types.checklist import Checklist
from xharness.task_types.classification import Classification
from xharness.task_types.corpus import Corpus
from xharness.task_types.entity_linking import EntityLinking
from xharness.task_types.extractive_qa import ExtractiveQA, ExtractiveQAUnanswerable
from xharness.task_types.multiple_choice import MultipleChoice
from xharness.task_types.retrieval import Retrieval
from xharness.task_types.tagging import Tagging

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
