"""The `mini` source: small tasks in ten real languages, made from a seed.

Nothing is downloaded.  Hand-written lexicons and sentence templates
(`lexicon/*.yaml`) together with country, language, month and weekday names
from CLDR (through Babel) are composed into sentences whose tags, entities,
answers and labels are known by construction, with the same content in every
language.
"""

from xharness_mini.tasks import COLUMNS, LABELS, TASKS, languages, rows, splits
from xharness_mini.vocabulary import LANGUAGES

__all__ = ["COLUMNS", "LABELS", "LANGUAGES", "TASKS", "languages", "rows", "splits"]
