"""One module per task type: how it is encoded, learnt and answered on hidden states."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xharness_hf.heads.classification import ClassificationTask
from xharness_hf.heads.contrastive import ContrastiveObjective
from xharness_hf.heads.extractive_qa import ExtractiveQaTask, UnanswerableQaTask
from xharness_hf.heads.masked_lm import MaskedLmObjective, hide
from xharness_hf.heads.multiple_choice import MultipleChoiceTask
from xharness_hf.heads.objectives import HeadObjective, HeadTask, Logits, TrainingObjective
from xharness_hf.heads.tagging import TaggingTask
from xharness_hf.heads.word_alignment import WordAlignmentObjective, identity

TASKS: Mapping[str, HeadTask] = MappingProxyType(
    {
        task.task_type: task
        for task in (
            ClassificationTask(),
            MultipleChoiceTask(),
            TaggingTask(),
            ExtractiveQaTask(),
            UnanswerableQaTask(),
        )
    }
)
"""What is answered by a head."""
OBJECTIVES: Mapping[str, HeadObjective] = MappingProxyType(
    {
        **TASKS,
        **{
            task_type: ContrastiveObjective(task_type)
            for task_type in ("retrieval", "entity_linking")
        },
    }
)
"""What is learnt through a head: the last of these are answered from vectors."""
COMPARING = (WordAlignmentObjective, ContrastiveObjective)
"""Whose loss compares the features that are computed together."""

__all__ = [
    "COMPARING",
    "OBJECTIVES",
    "TASKS",
    "ContrastiveObjective",
    "HeadObjective",
    "HeadTask",
    "Logits",
    "MaskedLmObjective",
    "TrainingObjective",
    "WordAlignmentObjective",
    "hide",
    "identity",
]  # fmt: skip
