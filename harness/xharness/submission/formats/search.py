"""Tasks that are answered by search: rankings, pairs of sentences, positions of sentences."""

from __future__ import annotations

from typing import Any, cast

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_json, as_lines, numbered
from xharness.submission.layout import SuiteTask
from xharness.task_types.bitext_mining import BitextMiningExample
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.task_types.retrieval import Ranking, RetrievalExample

_SHAPE = "a list of ids, each once"


class RankingFormat:
    """Mewsli-X, LAReQA: a mapping from query to ids, nearest first; the twentieth is the last read.

    Mewsli-X has this format in the official evaluator. LAReQA, which that evaluator lists and never
    scores, is given the same: question to the ids of candidate sentences.
    """

    ending = "json"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        relevant_ids, rankings = (file.mapping(_are_ids, _SHAPE) for file in (labels, predictions))
        # The official code counts 0 for a ranking that is missing, whatever the reason.
        predictions.check_items(rankings, relevant_ids)
        if task.first_label_counts:
            relevant_ids = {item: _first(ids, item, labels) for item, ids in relevant_ids.items()}
        return AnsweredItems(
            [RetrievalExample(item, "", "", None) for item in relevant_ids],
            [Ranking(ranked=rankings[item], relevant=gold) for item, gold in relevant_ids.items()],
        )

    def write(self, answered_items: AnsweredItems, task: SuiteTask) -> FileTexts:
        items = [example.id for example in answered_items.examples]
        rankings = cast(list[Ranking], answered_items.predictions)
        relevant_ids = (ranking["relevant"] for ranking in rankings)
        ranked_ids = (ranking["ranked"] for ranking in rankings)
        return FileTexts(
            *(as_json(dict(zip(items, ids, strict=True))) for ids in (relevant_ids, ranked_ids))
        )


def _first(ids: list[str], item: str, labels: SubmissionFile) -> list[str]:
    if not ids:
        raise labels.error(f"'{item}' has no right id", labels.line_of(item))
    return [ids[0].strip()]


def _are_ids(value: Any) -> bool:
    """An id that stood twice in a ranking would be found twice."""
    if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
        return False
    return len(set(value)) == len(value)


_Pair = tuple[str, str]


class PairFormat:
    """BUCC: a pair of ids on each line, a tab between them; lines have no order.

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


_LONGEST = 12  # digits, beyond any text that was ever searched
_NO_SENTENCE = -1  # a position that no label has: counted as wrong, as official code does


class PositionFormat:
    """Tatoeba: on each line the position, from 0, of the sentence found for an English one.

    The English sentences stand in the order of their texts, as XTREME prepares them.

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
