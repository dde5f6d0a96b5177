"""Predictions in the layout of the official evaluator: read and scored, or written from a run.

score(wanted, suite, catalogue)        points by task and language, and the suite's score
export(scores, suite, choice, place)   a run's predictions as the files' texts
save(exported, predictions, labels)    the folders, each whole or not at all
"""

from xharness.submission.exporting import Exported, Place, export
from xharness.submission.picking import Choice
from xharness.submission.reading import Wanted
from xharness.submission.scoring import LanguageScore, Scored, score
from xharness.submission.writing import check_free, save

__all__ = [
    "Choice", "Exported", "LanguageScore", "Place", "Scored", "Wanted", "check_free", "export",
    "save", "score",
]  # fmt: skip
