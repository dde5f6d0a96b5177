"""How many sub-words an item has, by task and language family: measured once, kept as a table.

The table was measured with the tokenizer of XLM-R on the first items of each task's public data
(`python -m benchmarks.lengths`). Other vocabularies of its size differ by a tenth or two.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from xharness.spec.languages import LANGUAGES

TABLE = Path(__file__).with_name("lengths.csv")
CAPS = (32, 64, 128, 256, 512, 4096)
"""Numbers of sub-words that sequences are cut at, for which the table has means."""


class ItemLength(NamedTuple):
    """Mean sub-words of an item, over all sequences that a model reads for it."""

    sub_words: float
    sequences: float
    is_guess: bool
    """Whether the task or the family is not in the table, and others stand for it."""


def item_length(task: str, language: str, max_length: int, doc_stride: int | None) -> ItemLength:
    """The length of an item of `task`, its sequences cut at `max_length`.

    With `doc_stride`, long texts are read in windows that overlap by so much, and none is cut.
    """
    entry = LANGUAGES.get(language)
    family = entry.family.split(": ")[-1] if entry else "other"
    table = _table()
    rows = table.get((task, family))
    is_guess = rows is None
    if rows is None:
        same_task = [row for (name, _), row in table.items() if name == task]
        rows = _mean(same_task or [*table.values()])
    sequences, *means = rows
    if doc_stride is None:
        return ItemLength(_at(max_length, means), sequences, is_guess)
    uncut, cut = means[-1], _at(max_length, means)
    overlap = max_length / max(1, max_length - doc_stride)
    return ItemLength(cut + (uncut - cut) * overlap, sequences * max(1, uncut / cut), is_guess)


def _at(max_length: int, means: list[float]) -> float:
    """The mean at a cap between those of the table."""
    caps = [0, *CAPS]
    values = [0.0, *means]
    for index in range(1, len(caps)):
        if max_length <= caps[index]:
            share = (max_length - caps[index - 1]) / (caps[index] - caps[index - 1])
            return values[index - 1] + share * (values[index] - values[index - 1])
    return values[-1]


def _mean(rows: list[list[float]]) -> list[float]:
    return [fmean(column) for column in zip(*rows, strict=True)]


@cache
def _table() -> dict[tuple[str, str], list[float]]:
    table: dict[tuple[str, str], list[float]] = defaultdict(list)
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = [float(row[name]) for name in ("sequences", *(f"to_{cap}" for cap in CAPS))]
            table[row["task"], row["family"]] = values
    return table
