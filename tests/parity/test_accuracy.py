"""Accuracy is scikit-learn's."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import accuracy_score

from tests.parity.scoring import card, covers, score
from xharness.task_types.base import Example
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.classification import ClassificationExample
from xharness.task_types.multiple_choice import MultipleChoiceExample

MAKE = {
    "classification": lambda item, label: ClassificationExample(item, "t", None, label),
    "multiple_choice": lambda item, label: MultipleChoiceExample(item, "p", ("a", "b", "c"), label),
    "bitext_retrieval": lambda item, label: BitextExample(item, "s", "t", label),
}
for _task_type in MAKE:
    covers(_task_type, "accuracy")


@pytest.mark.parametrize("task_type", MAKE)
def test_accuracy(task_type: str) -> None:
    draw, task = random.Random(6), card(task_type, "abc")
    for _ in range(100):
        gold = draw.choices(range(3), k=draw.randint(1, 60))
        answers = [label if draw.random() < 0.4 else draw.randrange(3) for label in gold]
        examples: list[Example] = [
            MAKE[task_type](str(index), label) for index, label in enumerate(gold)
        ]
        items = zip(examples, answers, strict=True)
        assert score(task, "accuracy", items) == pytest.approx(
            accuracy_score(gold, answers), abs=1e-9
        )
    assert score(task, "accuracy", []) == 0
