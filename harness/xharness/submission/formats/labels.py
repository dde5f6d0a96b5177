"""Classification: the name of a label on each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_lines, numbered
from xharness.submission.layout import SuiteTask
from xharness.task_types.classification import ClassificationExample


class LabelFormat:
    """XNLI, PAWS-X: item i is line i."""

    ending = "tsv"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        gold_labels, predicted_labels = (
            label_indexes(labels, task),
            label_indexes(predictions, task),
        )
        predictions.check_count(len(predicted_labels), len(gold_labels), "lines", labels)
        ids = numbered(len(gold_labels))
        examples = [
            ClassificationExample(item, "", None, gold)
            for item, gold in zip(ids, gold_labels, strict=True)
        ]
        return AnsweredItems(examples, predicted_labels)

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        gold_labels = [task.labels[example.label] for example in _labelled(answered_items)]
        predicted_labels = [task.labels[prediction] for prediction in answered_items.predictions]
        return FileTexts(as_lines(gold_labels), as_lines(predicted_labels))


def label_indexes(file: SubmissionFile, task: SuiteTask) -> list[int]:
    """Each line's label, as its place in the card's labels."""
    index_of_label = {label: index for index, label in enumerate(task.labels)}
    return [
        label_index(label, index_of_label, file, line) for line, label in enumerate(file.lines, 1)
    ]


def label_index(
    label: str, index_of_label: Mapping[str, int], file: SubmissionFile, line: int
) -> int:
    """The label's place.

    Raises:
        ConfigurationError: a label outside the set, with its line.
    """
    if label not in index_of_label:
        # Cut: a wrong file may be one line of a megabyte.
        problem = f"'{label[:60]}' is not a label"
        raise file.error(problem, line, expected=f"one of {', '.join([*index_of_label][:20])}")
    return index_of_label[label]


def _labelled(answered_items: AnsweredItems) -> Sequence[ClassificationExample]:
    return [
        example for example in answered_items.examples if isinstance(example, ClassificationExample)
    ]
