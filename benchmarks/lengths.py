"""How long the items of each task are: `python -m benchmarks.lengths --data-root DIR TOKENIZER`.

Writes the table that the account of a plan rests on. TOKENIZER is the tokenizer.json of XLM-R.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

from tokenizers import Tokenizer

from xharness import (
    LANGUAGES,
    DataReader,
    Example,
    RunEnvironment,
    Split,
    TaskCard,
    XharnessError,
    open_catalogue,
)
from xharness.session.account.work import CAPS, TABLE

ITEMS, LANGUAGES_A_FAMILY = 80, 2


def main() -> None:
    """Measure every card whose data is at hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("--data-root", type=Path, required=True)
    arguments = parser.parse_args()
    catalogue = open_catalogue()
    reader = DataReader(catalogue, RunEnvironment(arguments.data_root, offline=True))
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer))
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["task", "family", "items", "sequences", *(f"to_{cap}" for cap in CAPS)])
        for name in catalogue.card_files:
            writer.writerows(_rows(catalogue.card(name), reader, tokenizer))
            file.flush()


def _rows(card: TaskCard, reader: DataReader, tokenizer: Any) -> Iterator[list[Any]]:
    families: dict[str, list[str]] = defaultdict(list)
    for language in card.languages:
        language_entry = LANGUAGES.get(language)
        families[language_entry.family.split(": ")[-1] if language_entry else "other"].append(
            language
        )
    for family, languages in sorted(families.items()):
        lengths = [
            lengths
            for language in languages[:LANGUAGES_A_FAMILY]
            for example in _examples(card, language, reader)
            if (lengths := _lengths(example, tokenizer))
        ]
        if lengths:
            means = [fmean(sum(min(n, cap) for n in item) for item in lengths) for cap in CAPS]
            sequences = fmean(map(len, lengths))
            yield [card.name, family, len(lengths), f"{sequences:.2f}", *map(round, means)]


def _examples(card: TaskCard, language: str, reader: DataReader) -> list[Example]:
    for split in (card.eval_split, *reversed(get_args(Split))):
        try:
            stream = reader.stream(reader.data_slice(card, language, split, ITEMS))
            if examples := list(islice(stream, ITEMS)):
                return examples
        except XharnessError:
            continue  # not at hand
    return []


def _lengths(example: Any, tokenizer: Any) -> list[int]:
    """Sub-words of each sequence that a model reads for one item, with its special ones."""
    texts = list(_sequences(example))
    return [
        len(encoding.ids) + 2
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)
    ]


def _sequences(example: Any) -> Iterator[str]:
    if hasattr(example, "parts"):
        for part in example.parts:
            yield from _sequences(part)
    elif hasattr(example, "choices"):
        yield from (f"{example.prompt} {choice}" for choice in example.choices)
    elif hasattr(example, "tokens"):
        yield " ".join(example.tokens)
    elif hasattr(example, "context"):
        yield f"{example.question} {example.context}"
    elif hasattr(example, "pair"):
        yield f"{example.text} {example.pair or ''}"
    else:  # what is embedded: a text, a query, both sides of a pair
        names = ("text", "source", "target", "query", "question")
        yield from (text for name in names if (text := getattr(example, name, None)))


if __name__ == "__main__":
    main()
