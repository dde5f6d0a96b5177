"""What others call tasks, metrics and languages, in one place."""

from __future__ import annotations

import re

from babel.core import get_global

from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard

CARD_METRICS = {
    "acc": ("accuracy",),
    "f1": ("f1", "span_f1", "chunk_f1", "mlqa_f1"),
    "em": ("exact_match", "mlqa_exact_match"),
    "exact": ("exact_match", "mlqa_exact_match"),
    "exact_match": ("mlqa_exact_match",),
    "micro_f1": ("span_f1",),
    "map@20": ("map_at_20",),
}
# Codes that ISO 639 gave up and that old data sets keep, and closer names than the benchmarks use.
LANGUAGE_CODES = {"iw": "he", "in": "id", "fil": "tl", "zh-cn": "zh", "zh-hans": "zh", "cmn": "zh"}
PARTS_OF_MEAN = {
    "squad_mean": ("exact_match", "f1"),
    "mlqa_mean": ("mlqa_exact_match", "mlqa_f1"),
}
"""Metrics that are the mean of two others; publications state the two."""
AVERAGE_NAMES = {"", "*", "avg", "average", "mean", "all"}
"""What stands in a column of languages where a row is an average over them."""
_OUTSIDE_NAMES = re.compile(r"[^A-Za-z0-9_]+")


def task_name(name: str, catalogue: Catalogue) -> str:
    """The card, or the group, that `name` stands for; the name itself where none does."""
    return catalogue.task_name(name) or name


def metric_name(name: str, card: TaskCard) -> str:
    """The card's metric that `name` stands for; the name itself where none does."""
    # Card names win over the usual ones: a card may call its metric `f1` itself.
    normalized = name.strip().casefold().replace(" ", "_")
    if normalized == "score":
        return card.metrics[0]
    return next(
        (
            candidate
            for candidate in (normalized, *CARD_METRICS.get(normalized, ()))
            if candidate in card.metrics
        ),
        name,
    )


def language_code(name: str) -> str:
    """A language as the benchmarks write it; codes of three letters become those of two."""
    normalized = name.strip().replace("_", "-")
    if len(normalized) == 3:
        normalized = get_global("language_aliases").get(normalized.casefold(), normalized)
    return LANGUAGE_CODES.get(normalized.casefold(), normalized)


def arm_label(name: str) -> str:
    """A model or strategy under a name that a study could give it: `XLM-R base` as `XLM-R-base`."""
    return _OUTSIDE_NAMES.sub("-", name.strip()).strip("-")
