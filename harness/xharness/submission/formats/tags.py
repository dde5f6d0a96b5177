"""Tagging: a tag on each line, a blank line after each sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xharness.kinds import TaggingExample
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, numbered
from xharness.submission.formats.labels import place_of
from xharness.submission.layout import Task


@dataclass
class _Sentence:
    """Places of its tags, and the line of the file that it begins on."""

    line: int
    tags: list[int] = field(default_factory=list)


class Tags:
    """WikiANN (PAN-X) and UD-POS: sentence i is block i; the last one need not end in a blank."""

    ending = "tsv"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        golds, given = [*_sentences(labels, task)], [*_sentences(predictions, task)]
        predictions.check_count(len(given), len(golds), "sentences", labels)
        for number, (gold, one) in enumerate(zip(golds, given, strict=True), 1):
            if len(gold.tags) != len(one.tags):
                what = f"sentence {number} begins here and has {len(one.tags)} tags"
                expected = f"{len(gold.tags)}, as at {labels.path}:{gold.line}"
                raise predictions.error(what, one.line, expected=expected)
        ids = numbered(len(golds))
        examples = [
            TaggingExample(item, ("",) * len(gold.tags), tuple(gold.tags))
            for item, gold in zip(ids, golds, strict=True)
        ]
        return Answered(examples, [one.tags for one in given])

    def write(self, answered: Answered, task: Task) -> Written:
        golds = [one.tags for one in answered.examples if isinstance(one, TaggingExample)]
        return Written(_blocks(golds, task), _blocks(answered.predictions, task))


def _sentences(file: File, task: Task) -> Iterator[_Sentence]:
    known = {label: place for place, label in enumerate(task.labels)}
    sentence = _Sentence(1)
    for line, tag in enumerate(file.lines, 1):
        if tag:
            sentence.tags.append(place_of(tag, known, file, line))
        else:
            yield sentence
            sentence = _Sentence(line + 1)
    if sentence.tags:
        yield sentence


def _blocks(sentences: Sequence[Sequence[int]], task: Task) -> str:
    return "".join(
        "".join(f"{task.labels[tag]}\n" for tag in sentence) + "\n" for sentence in sentences
    )
