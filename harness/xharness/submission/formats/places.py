"""Bitext retrieval: on each line the place, from 0, of the sentence found for an English one."""

from __future__ import annotations

from xharness.kinds import BitextExample
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, as_lines, numbered
from xharness.submission.layout import Task


class Places:
    """Tatoeba: the English sentences stand in the order of their texts, as XTREME prepares them."""

    ending = "tsv"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        count = len(labels.lines)
        golds = _places(labels, count)
        predictions.check_count(len(predictions.lines), count, "lines", labels)
        ids = numbered(count)
        examples = [
            BitextExample(item, "", "", gold) for item, gold in zip(ids, golds, strict=True)
        ]
        return Answered(examples, _places(predictions, count))

    def write(self, answered: Answered, task: Task) -> Written:
        pairs = [
            (one.source, one.label, given)
            for one, given in zip(answered.examples, answered.predictions, strict=True)
            if isinstance(one, BitextExample)
        ]
        pairs.sort(key=lambda pair: pair[0])  # stable, by code points: as Python's own in XTREME
        return Written(
            as_lines([str(gold) for _, gold, _ in pairs]),
            as_lines([str(given) for _, _, given in pairs]),
        )


def _places(file: File, count: int) -> list[int]:
    return [_place(word, count, file, line) for line, word in enumerate(file.lines, 1)]


def _place(word: str, count: int, file: File, line: int) -> int:
    if word.isascii() and word.isdigit() and len(word) < 12 and int(word) < count:
        return int(word)
    expected = f"a whole number from 0 to {count - 1}"
    raise file.error(f"'{word[:60]}' is not the place of a sentence", line, expected=expected)
