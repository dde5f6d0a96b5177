"""Results from elsewhere: tables and other harnesses' files become rows marked *published*.

read(paths, options, catalogue)    what CSV tables and lm-evaluation-harness, EuroEval, MTEB report
rows(reported_scores, catalogue)   score rows, checked against the cards, each mistake with its line
"""

from xharness.importers.files import FORMATS, ImportedScores, ImportOptions, read
from xharness.importers.reported import ReportedScore
from xharness.importers.rows import clashes, rows

__all__ = [
    "FORMATS",
    "ImportOptions",
    "ImportedScores",
    "ReportedScore",
    "clashes",
    "read",
    "rows",
]
