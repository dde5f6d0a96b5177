"""Mining: on each line the ids of two sentences that translate each other, a tab between them."""

from __future__ import annotations

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_lines
from xharness.submission.layout import SuiteTask
from xharness.task_types.bitext_mining import BitextMiningExample

_Pair = tuple[str, str]


class PairFormat:
    """BUCC: sets of pairs, so that lines have no order.

    An item is a pair that is right, or given, or both; sentences in no pair change no score.
    """

    ending = "tsv"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        gold_pairs, predicted_pairs = _pairs(labels), _pairs(predictions)
        # Sentences without a pair on either side would be items that nobody can see in the files.
        all_pairs = [*gold_pairs, *(pair for pair in predicted_pairs if pair not in gold_pairs)]
        examples = [
            BitextMiningExample(source, "", (target,) if (source, target) in gold_pairs else ())
            for source, target in all_pairs
        ]
        return AnsweredItems(
            examples, [pair[1] if pair in predicted_pairs else "" for pair in all_pairs]
        )

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        examples = [
            example
            for example in answered_items.examples
            if isinstance(example, BitextMiningExample)
        ]
        gold_pairs = [(example.id, target) for example in examples for target in example.matches]
        answered_examples = zip(examples, answered_items.predictions, strict=True)
        predicted_pairs = [(example.id, target) for example, target in answered_examples if target]
        return FileTexts(
            *(
                as_lines(["\t".join(pair) for pair in pairs])
                for pairs in (gold_pairs, predicted_pairs)
            )
        )


def _pairs(file: SubmissionFile) -> dict[_Pair, int]:
    """Each pair, and the line that it stands on."""
    line_of_pair: dict[_Pair, int] = {}
    for line, text in enumerate(file.lines, 1):
        source, tab, target = text.partition("\t")
        pair = (source.strip(), target.strip())
        if not tab or not all(pair) or "\t" in target:
            raise file.error("no pair stands here", line, expected="two ids with a tab between")
        if pair in line_of_pair:
            raise file.error(f"this pair stands on line {line_of_pair[pair]} already", line)
        line_of_pair[pair] = line
    return line_of_pair
