"""Bitext retrieval: on each line the place, from 0, of the sentence found for an English one."""

from __future__ import annotations

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_lines, numbered
from xharness.submission.layout import SuiteTask
from xharness.task_types import BitextExample


class PositionFormat:
    """Tatoeba: the English sentences stand in the order of their texts, as XTREME prepares them."""

    ending = "tsv"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        count = len(labels.lines)
        gold_positions = _positions(labels, count)
        predictions.check_count(len(predictions.lines), count, "lines", labels)
        ids = numbered(count)
        examples = [
            BitextExample(item, "", "", gold)
            for item, gold in zip(ids, gold_positions, strict=True)
        ]
        return AnsweredItems(examples, _positions(predictions, count))

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        pairs = [
            (example.source, example.label, prediction)
            for example, prediction in zip(
                answered_items.examples, answered_items.predictions, strict=True
            )
            if isinstance(example, BitextExample)
        ]
        pairs.sort(key=lambda pair: pair[0])  # stable, by code points: as Python's own in XTREME
        return FileTexts(
            as_lines([str(gold) for _, gold, _ in pairs]),
            as_lines([str(prediction) for _, _, prediction in pairs]),
        )


def _positions(file: SubmissionFile, count: int) -> list[int]:
    return [_position(word, count, file, line) for line, word in enumerate(file.lines, 1)]


def _position(word: str, count: int, file: SubmissionFile, line: int) -> int:
    if word.isascii() and word.isdigit() and len(word) < 12 and int(word) < count:
        return int(word)
    expected = f"a whole number from 0 to {count - 1}"
    raise file.error(f"'{word[:60]}' is not the place of a sentence", line, expected=expected)
