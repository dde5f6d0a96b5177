"""Classification: the name of a label on each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xharness.kinds import ClassificationExample
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, as_lines, numbered
from xharness.submission.layout import Task


class Labels:
    """XNLI, PAWS-X: item i is line i."""

    ending = "tsv"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        golds, given = places(labels, task), places(predictions, task)
        predictions.check_count(len(given), len(golds), "lines", labels)
        ids = numbered(len(golds))
        examples = [
            ClassificationExample(item, "", None, gold)
            for item, gold in zip(ids, golds, strict=True)
        ]
        return Answered(examples, given)

    def write(self, answered: Answered, task: Task) -> Written:
        golds = [task.labels[example.label] for example in _labelled(answered)]
        given = [task.labels[prediction] for prediction in answered.predictions]
        return Written(as_lines(golds), as_lines(given))


def places(file: File, task: Task) -> list[int]:
    """Each line's label, as its place in the card's labels."""
    known = {label: place for place, label in enumerate(task.labels)}
    return [place_of(label, known, file, line) for line, label in enumerate(file.lines, 1)]


def place_of(label: str, known: Mapping[str, int], file: File, line: int) -> int:
    """The label's place.

    Raises:
        ConfigurationError: a label outside the set, with its line.
    """
    if label not in known:
        what = f"'{label[:60]}' is not a label"
        raise file.error(what, line, expected=f"one of {', '.join([*known][:20])}")
    return known[label]


def _labelled(answered: Answered) -> Sequence[ClassificationExample]:
    return [one for one in answered.examples if isinstance(one, ClassificationExample)]
