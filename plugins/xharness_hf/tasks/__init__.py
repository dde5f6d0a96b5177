"""One module per kind: how it is encoded, learnt and answered on hidden states."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xharness_hf.tasks.aligned import Aligned, as_is
from xharness_hf.tasks.base import Headed, Lessons, Logits, Task
from xharness_hf.tasks.choice import Choice
from xharness_hf.tasks.classification import Classification
from xharness_hf.tasks.masked import Masked, hide
from xharness_hf.tasks.paired import Paired
from xharness_hf.tasks.span import Span, SpanOrNone
from xharness_hf.tasks.tagging import Tagging

TASKS: Mapping[str, Task] = MappingProxyType(
    {task.kind: task for task in (Classification(), Choice(), Tagging(), Span(), SpanOrNone())}
)
"""What is answered by a head."""
LEARNT: Mapping[str, Headed] = MappingProxyType(
    {**TASKS, **{kind: Paired(kind) for kind in ("retrieval", "linking")}}
)
"""What is learnt through a head: the last of these are answered from vectors."""
COMPARING = (Aligned, Paired)
"""Whose loss compares the units that are computed together."""

__all__ = [
    "COMPARING", "LEARNT", "TASKS", "Aligned", "Headed", "Lessons", "Logits", "Masked",
    "Paired", "Task", "as_is", "hide",
]  # fmt: skip
