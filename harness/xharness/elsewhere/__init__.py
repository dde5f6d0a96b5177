"""Results from elsewhere: tables and other harnesses' files become rows marked *published*.

read(paths, reading, catalogue)   entries of CSV tables, lm-evaluation-harness, EuroEval
rows(entries, catalogue)          score rows, checked against the cards, each mistake with its line
"""

from xharness.elsewhere.entries import Entry
from xharness.elsewhere.reading import FORMATS, Found, Reading, read
from xharness.elsewhere.rows import clashes, rows

__all__ = ["FORMATS", "Entry", "Found", "Reading", "clashes", "read", "rows"]
