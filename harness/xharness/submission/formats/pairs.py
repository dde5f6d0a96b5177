"""Mining: on each line the ids of two sentences that translate each other, a tab between them."""

from __future__ import annotations

from xharness.kinds import MiningExample
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, as_lines
from xharness.submission.layout import Task

_Pair = tuple[str, str]


class Pairs:
    """BUCC: sets of pairs, so that lines have no order.

    An item is a pair that is right, or given, or both; sentences in no pair change no score.
    """

    ending = "tsv"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        golds, given = _pairs(labels), _pairs(predictions)
        every = [*golds, *(pair for pair in given if pair not in golds)]
        examples = [
            MiningExample(source, "", (target,) if (source, target) in golds else ())
            for source, target in every
        ]
        return Answered(examples, [pair[1] if pair in given else "" for pair in every])

    def write(self, answered: Answered, task: Task) -> Written:
        mined = [one for one in answered.examples if isinstance(one, MiningExample)]
        golds = [(one.id, target) for one in mined for target in one.matches]
        both = zip(mined, answered.predictions, strict=True)
        given = [(one.id, target) for one, target in both if target]
        return Written(*(as_lines(["\t".join(pair) for pair in some]) for some in (golds, given)))


def _pairs(file: File) -> dict[_Pair, int]:
    """Each pair, and the line that it stands on."""
    found: dict[_Pair, int] = {}
    for line, text in enumerate(file.lines, 1):
        source, tab, target = text.partition("\t")
        pair = (source.strip(), target.strip())
        if not tab or not all(pair) or "\t" in target:
            raise file.error("no pair stands here", line, expected="two ids with a tab between")
        if pair in found:
            raise file.error(f"this pair stands on line {found[pair]} already", line)
        found[pair] = line
    return found
