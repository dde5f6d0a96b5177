"""Retrieval and linking: one mapping from query to ids, of the right ones or as they were ranked.

Mewsli-X has this format in the official evaluator. LAReQA, which that evaluator lists and never
scores, is given the same: question to the ids of candidate sentences.
"""

from __future__ import annotations

from typing import Any, cast

from xharness.submission.files import SubmissionFile
from xharness.submission.formats.base import AnsweredItems, FileTexts, as_json
from xharness.submission.layout import SuiteTask
from xharness.task_types.ranking import Ranking, RetrievalExample

_SHAPE = "a list of ids, each once"


class RankingFormat:
    """Mewsli-X, LAReQA: nearest first; what comes after the twentieth does not count."""

    ending = "json"

    def read(
        self, labels: SubmissionFile, predictions: SubmissionFile, task: SuiteTask
    ) -> AnsweredItems:
        relevant_ids, rankings = (file.mapping(_are_ids, _SHAPE) for file in (labels, predictions))
        # Missing rankings would count 0 in the official code, whatever the reason they are missing.
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
