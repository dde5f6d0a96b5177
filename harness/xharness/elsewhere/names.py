"""What others call tasks, metrics, splits and languages, in one place."""

from __future__ import annotations

import re

from xharness.cards import TaskCard
from xharness.catalogue import Catalogue

TASKS = {
    "panx": "wikiann",
    "ner": "wikiann",
    "pos": "udpos",
    "paws": "pawsx",
    "bucc2018": "bucc",
    "tydiqa_goldp": "tydiqa",
    "mewsli_x": "mewslix",
    "xquad_r": "lareqa",
}
METRICS = {
    "acc": ("accuracy",),
    "f1": ("f1", "span_f1", "chunk_f1", "mlqa_f1"),
    "em": ("exact_match", "mlqa_exact_match"),
    "exact": ("exact_match", "mlqa_exact_match"),
    "exact_match": ("mlqa_exact_match",),
    "micro_f1": ("span_f1",),
    "map@20": ("map_at_20",),
}
SPLITS = {"dev": "validation", "val": "validation", "valid": "validation", "eval": "validation"}
CODES = {"iw": "he", "in": "id", "fil": "tl", "zh-cn": "zh", "zh-hans": "zh", "cmn": "zh"}
MEANS = {
    "squad_mean": ("exact_match", "f1"),
    "mlqa_mean": ("mlqa_exact_match", "mlqa_f1"),
}
"""Metrics that are the mean of two others; publications state the two."""
AVERAGE = {"", "*", "avg", "average", "mean", "all"}
"""What stands in a column of languages where a row is an average over them."""
_OTHER = re.compile(r"[^A-Za-z0-9_]+")


def task(name: str, catalogue: Catalogue) -> str:
    """The card, or the group, that `name` stands for; the name itself where none does."""
    for one in (name, plain := name.strip().casefold().replace("-", "_"), TASKS.get(plain, name)):
        if one in catalogue.card_files.offers or one in catalogue.groups.offers:
            return one
    hyphened = plain.replace("_", "-")
    return hyphened if hyphened in catalogue.groups.offers else name


def metric(name: str, card: TaskCard) -> str:
    """The card's metric that `name` stands for; the name itself where none does."""
    plain = name.strip().casefold().replace(" ", "_")
    if plain == "score":
        return card.metrics[0]
    return next((one for one in (plain, *METRICS.get(plain, ())) if one in card.metrics), name)


def split(name: str) -> str:
    """A split as cards call it."""
    plain = name.strip().casefold()
    return SPLITS.get(plain, plain)


def code(name: str) -> str:
    """A language as the benchmarks write it."""
    plain = name.strip().replace("_", "-")
    return CODES.get(plain.casefold(), plain)


def label(name: str) -> str:
    """A model or strategy under a name that a study could give it: `XLM-R base` as `XLM-R-base`."""
    return _OTHER.sub("-", name.strip()).strip("-")
