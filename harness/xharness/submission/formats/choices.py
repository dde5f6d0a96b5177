"""Multiple choice: an object on each line, whose `label` is the place of the choice."""

from __future__ import annotations

import json
from collections.abc import Sequence

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_lines, numbered
from xharness.submission.layout import SuiteTask
from xharness.task_types.multiple_choice import MultipleChoiceExample


class ChoiceFormat:
    """XCOPA: item i is line i; other keys of the object, such as the premise, are not read."""

    ending = "jsonl"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        gold_labels, predicted_labels = _labels(labels, task), _labels(predictions, task)
        predictions.check_count(len(predicted_labels), len(gold_labels), "lines", labels)
        ids = numbered(len(gold_labels))
        examples = [
            MultipleChoiceExample(item, "", (), gold)
            for item, gold in zip(ids, gold_labels, strict=True)
        ]
        return AnsweredItems(examples, predicted_labels)

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        gold_labels = [
            example.label
            for example in answered_items.examples
            if isinstance(example, MultipleChoiceExample)
        ]
        return FileTexts(_as_objects(gold_labels), _as_objects(answered_items.predictions))


def _as_objects(labels: Sequence[int]) -> str:
    return as_lines([json.dumps({"label": label}) for label in labels])


def _labels(file: SubmissionFile, task: SuiteTask) -> list[int]:
    return [_label(file, line, len(task.labels)) for line in range(1, len(file.lines) + 1)]


def _label(file: SubmissionFile, line: int, choices: int) -> int:
    values = file.parsed(line)
    label = values.get("label") if isinstance(values, dict) else None
    # `true` is an integer to Python.
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < choices:
        expected = f'{{"label": N}} with N from 0 to {choices - 1}'
        raise file.error("no choice stands here", line, expected=expected)
    return label
