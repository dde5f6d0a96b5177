"""Bitext retrieval: on each line the place, from 0, of the sentence found for an English one."""

from __future__ import annotations

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_lines, numbered
from xharness.submission.layout import SuiteTask
from xharness.task_types.bitext_retrieval import BitextExample

_LONGEST = 12  # digits, beyond any text that was ever searched
_NO_SENTENCE = -1


class PositionFormat:
    """Tatoeba: the English sentences stand in the order of their texts, as XTREME prepares them.

    The labels may be those of a part of the sentences, whose places go beyond the lines that are
    there; then nothing tells where the places end.
    """

    ending = "tsv"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        gold_positions = _positions(labels)
        count = len(gold_positions)
        predictions.check_count(len(predictions.lines), count, "lines", labels)
        examples = [
            BitextExample(item, "", "", gold)
            for item, gold in zip(numbered(count), gold_positions, strict=True)
        ]
        # Places that count from 1 instead of 0 go one too far, where all sentences are there.
        whole_text = max(gold_positions, default=0) < count
        return AnsweredItems(examples, _positions(predictions, count if whole_text else None))

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


def _positions(file: SubmissionFile, count: int | None = None) -> list[int]:
    return [_position(word, count, file, line) for line, word in enumerate(file.lines, 1)]


def _position(word: str, count: int | None, file: SubmissionFile, line: int) -> int:
    """The place that `word` names; `_NO_SENTENCE` for `00`, since official code compares texts."""
    if word.isascii() and word.isdigit() and len(word) < _LONGEST:
        position = int(word)
        if count is None or position < count:
            return position if word == str(position) else _NO_SENTENCE
    expected = "a whole number from 0" + (f" to {count - 1}" if count is not None else "")
    raise file.error(f"'{word[:60]}' is not the place of a sentence", line, expected=expected)
