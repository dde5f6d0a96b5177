"""Print the tables of README.md from the files beside it and benchmarks/card-and-cpu.json.

python leaderboard/sub-1b/checks/tables.py
"""

from __future__ import annotations

import json
from math import hypot, sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

CHECKS = Path(__file__).parent
OTHERS = ("de", "es", "ru", "sw", "zh")
Scores = dict[str, list[float]]
"""Language to the F1 of each seed."""


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def tatoeba() -> list[str]:
    """Accuracy by language: both directions here, by transformers alone, and as MTEB has it."""
    lines = (CHECKS / "tatoeba.jsonl").read_text(encoding="utf-8").splitlines()
    scores = [json.loads(line) for line in lines]
    here = {(score["task"], score["language"]): score["value"] for score in scores}
    elsewhere = read(CHECKS / "tatoeba-elsewhere.json")
    alone, mteb = elsewhere["transformers"], elsewhere["mteb"]["to_english"]
    rows = [
        "| | X to English | transformers | MTEB | English to X | transformers |",
        "|--|--:|--:|--:|--:|--:|",
    ]
    for language in mteb:
        forth, back = here["tatoeba_to_english", language], here["tatoeba", language]
        rows.append(
            f"| {language} | {forth:.2f} | {alone['to_english'][language]:.1f} "
            f"| {mteb[language]:.1f} | {back:.2f} | {alone['from_english'][language]:.1f} |"
        )
    return rows


def wikiann() -> list[str]:
    """Means over five seeds and their standard errors, by who trained and on what."""
    here = read(CHECKS.parents[2] / "benchmarks" / "card-and-cpu.json")["span_f1"]
    plain = read(CHECKS / "wikiann-plain.json")
    trainers: dict[str, Scores] = {
        f"xharness, {device}": {language: here[language][key] for language in here}
        for device, key in (("two cores", "cpu"), ("H100", "card"))
    }
    reference = {language: [seed[language] for seed in plain.values()] for language in here}
    rows = [
        "| | en | de | es | ru | sw | zh | mean of the others |",
        "|--|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, scores in {**trainers, "transformers": reference}.items():
        cells = (
            f"{mean:.1f} ± {error:.1f}" for mean, error in map(mean_and_error, columns(scores))
        )
        rows.append(f"| {name} | {' | '.join(cells)} |")
    for name, scores in trainers.items():
        pairs = zip(columns(scores), columns(reference), strict=True)
        cells = (f"{distance(*pair):+.1f}".replace("-", "−") for pair in pairs)
        rows.append(f"| {name}: standard errors from transformers | {' | '.join(cells)} |")
    return rows


def columns(scores: Scores) -> list[list[float]]:
    """The table's columns, seed by seed: English, each other language, and the others' mean."""
    by_seed = zip(*(scores[language] for language in OTHERS), strict=True)
    return [scores["en"], *(scores[language] for language in OTHERS), [*map(fmean, by_seed)]]


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The seeds' mean and its standard error."""
    return fmean(values), stdev(values) / sqrt(len(values))


def distance(values: list[float], reference: list[float]) -> float:
    """How far two means lie apart, in standard errors of their difference."""
    (mean, error), (other, other_error) = mean_and_error(values), mean_and_error(reference)
    return (mean - other) / hypot(error, other_error)


if __name__ == "__main__":
    print("\n".join([*tatoeba(), "", *wikiann()]))
