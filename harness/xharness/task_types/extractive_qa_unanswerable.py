"""Span questions that may have no answer, as in SQuAD 2.0: then the right answer is nothing."""

from __future__ import annotations

from collections.abc import Mapping

from xharness.task_types.base import Example, Metric
from xharness.task_types.extractive_qa import ExtractiveQA, ExtractiveQAExample
from xharness.task_types.qa_metrics import SQUAD2_METRICS


class ExtractiveQAUnanswerable(ExtractiveQA):
    """Which stretch of the context answers the question, if any? The prediction "" says: none.

    An empty list of answers means that there is none, and is learnt from; answers that the context
    does not hold are a fault of the data, and are not (Rajpurkar et al. 2018).
    """

    name = "extractive_qa_unanswerable"
    metrics: Mapping[str, Metric] = SQUAD2_METRICS

    def learnable(self, example: Example) -> bool:
        return super().learnable(example) or (
            isinstance(example, ExtractiveQAExample)
            and not any(one.text for one in example.answers)
        )
