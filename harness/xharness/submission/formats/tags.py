"""Tagging: a tag on each line, a blank line after each sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, numbered
from xharness.submission.formats.labels import label_index
from xharness.submission.layout import SuiteTask
from xharness.task_types.tagging import TaggingExample


@dataclass
class _TagBlock:
    """Places of its tags, and the line of the file that it begins on."""

    line: int
    tags: list[int] = field(default_factory=list)


class TagFormat:
    """WikiANN (PAN-X) and UD-POS: sentence i is block i; the last one need not end in a blank."""

    ending = "tsv"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        gold_blocks, predicted_blocks = (
            [*_sentences(labels, task)],
            [*_sentences(predictions, task)],
        )
        predictions.check_count(len(predicted_blocks), len(gold_blocks), "sentences", labels)
        # Checked sentence by sentence: equal totals may hide words that moved.
        for number, (gold_block, predicted_block) in enumerate(
            zip(gold_blocks, predicted_blocks, strict=True), 1
        ):
            if len(gold_block.tags) != len(predicted_block.tags):
                problem = f"sentence {number} begins here and has {len(predicted_block.tags)} tags"
                expected = f"{len(gold_block.tags)}, as at {labels.path}:{gold_block.line}"
                raise predictions.error(problem, predicted_block.line, expected=expected)
        ids = numbered(len(gold_blocks))
        examples = [
            TaggingExample(item, ("",) * len(gold_block.tags), tuple(gold_block.tags))
            for item, gold_block in zip(ids, gold_blocks, strict=True)
        ]
        return AnsweredItems(
            examples, [predicted_block.tags for predicted_block in predicted_blocks]
        )

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        gold_tags = [
            example.tags
            for example in answered_items.examples
            if isinstance(example, TaggingExample)
        ]
        return FileTexts(_blocks(gold_tags, task), _blocks(answered_items.predictions, task))


def _sentences(file: SubmissionFile, task: SuiteTask) -> Iterator[_TagBlock]:
    index_of_label = {label: index for index, label in enumerate(task.labels)}
    block = _TagBlock(1)
    for line, tag in enumerate(file.lines, 1):
        if tag:
            block.tags.append(label_index(tag, index_of_label, file, line))
        else:
            yield block
            block = _TagBlock(line + 1)
    # The official files end in a blank line, those of some tools do not.
    if block.tags:
        yield block


def _blocks(sentences: Sequence[Sequence[int]], task: SuiteTask) -> str:
    return "".join(
        "".join(f"{task.labels[tag]}\n" for tag in sentence) + "\n" for sentence in sentences
    )
