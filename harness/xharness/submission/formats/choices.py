"""Multiple choice: an object on each line, whose `label` is the place of the choice."""

from __future__ import annotations

import json

from xharness.kinds import ChoiceExample
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, as_lines, numbered
from xharness.submission.layout import Task


class Choices:
    """XCOPA: item i is line i; other keys of the object, such as the premise, are not read."""

    ending = "jsonl"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        golds, given = _labels(labels, task), _labels(predictions, task)
        predictions.check_count(len(given), len(golds), "lines", labels)
        ids = numbered(len(golds))
        examples = [
            ChoiceExample(item, "", (), gold) for item, gold in zip(ids, golds, strict=True)
        ]
        return Answered(examples, given)

    def write(self, answered: Answered, task: Task) -> Written:
        golds = [one.label for one in answered.examples if isinstance(one, ChoiceExample)]
        return Written(*(as_lines([json.dumps({"label": one}) for one in some])
                         for some in (golds, answered.predictions)))  # fmt: skip


def _labels(file: File, task: Task) -> list[int]:
    return [_label(file, line, len(task.labels)) for line in range(1, len(file.lines) + 1)]


def _label(file: File, line: int, choices: int) -> int:
    found = file.parsed(line)
    label = found.get("label") if isinstance(found, dict) else None
    if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label < choices:
        expected = f'{{"label": N}} with N from 0 to {choices - 1}'
        raise file.error("no choice stands here", line, expected=expected)
    return label
