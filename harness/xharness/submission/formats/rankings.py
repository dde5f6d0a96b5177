"""Retrieval and linking: one mapping from query to ids, of the right ones or as they were ranked.

Mewsli-X has this format in the official evaluator. LAReQA, which that evaluator lists and never
scores, is given the same: question to the ids of candidate sentences.
"""

from __future__ import annotations

from typing import Any, cast

from xharness.kinds import RetrievalExample
from xharness.kinds.ranking import Ranking
from xharness.submission.files import File
from xharness.submission.formats.base import Answered, Written, as_json
from xharness.submission.layout import Task

_SHAPE = "a list of ids, each once"


class Rankings:
    """Mewsli-X, LAReQA: nearest first; what comes after the twentieth does not count."""

    ending = "json"

    def read(self, labels: File, predictions: File, task: Task) -> Answered:
        golds, given = (file.mapping(_are_ids, _SHAPE) for file in (labels, predictions))
        predictions.check_items(given, golds)
        return Answered(
            [RetrievalExample(item, "", "", None) for item in golds],
            [Ranking(ranked=given[item], relevant=gold) for item, gold in golds.items()],
        )

    def write(self, answered: Answered, task: Task) -> Written:
        items = [one.id for one in answered.examples]
        rankings = cast(list[Ranking], answered.predictions)
        golds = (ranking["relevant"] for ranking in rankings)
        given = (ranking["ranked"] for ranking in rankings)
        return Written(*(as_json(dict(zip(items, some, strict=True))) for some in (golds, given)))


def _are_ids(value: Any) -> bool:
    """An id that stood twice in a ranking would be found twice."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return False
    return len(set(value)) == len(value)
