"""Predictions in the layout of the official evaluator: read and scored, or written from a run.

score(request, suite, catalogue)       points by task and language, and the suite's score
export(scores, suite, arm, source)     a run's predictions as the files' texts
save(exported, predictions, labels)    the folders, each whole or not at all
"""

from xharness.submission.arm_choice import ArmChoice
from xharness.submission.exporting import ExportedFiles, ExportSource, export
from xharness.submission.file_pairs import ScoringRequest
from xharness.submission.folders import check_free, save
from xharness.submission.scoring import LanguageScore, SubmissionScores, score

__all__ = [
    "ArmChoice", "ExportSource", "ExportedFiles", "LanguageScore", "ScoringRequest",
    "SubmissionScores", "check_free", "export", "save", "score",
]  # fmt: skip
