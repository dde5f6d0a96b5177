"""A study made up to hold every case a board must show. Nothing here was measured."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xharness.gaps import Items, evidence, scores
from xharness.gaps.scores import Missing, Score
from xharness.leaderboard import Board, read
from xharness.task_types.base import Floats, Metric, ratio

STUDY = """\
name: synthetic
title: "Made-up numbers | for tests"
about: |
  Every case a board must show, with <b>made-up</b> numbers.
models:
  - {name: mini-s, backend: none}
  - {name: mini-l, backend: none}
  - {name: broken, backend: none}
strategies: [single, multitask]
targets: [nli, ner, copa, qa]
seeds: [1, 2, 3]
"""
ODD = "<script>alert(1)</script>|x"
SIZES = {"mini-s": (3_250_000, 2_048_000), "mini-l": (118_000_000, 96_000_000)}
LANGUAGES = {"nli": "en sw th", "ner": "en de sw", "copa": "et qu", "qa": "en de"}
SKILL = {"en": 0.0, "de": -0.1, "sw": -0.3, "th": -0.2, "et": -0.25, "qu": -0.3}
FAMILIES = {"mini-s": "mini", "mini-l": "midi"}
BASE = {"mini-s": 0.75, "mini-l": 0.9}


def _f1(sums: Floats) -> Floats:
    found, extra, lost = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.asarray(2 * found / np.maximum(2 * found + extra + lost, 1))


def _unused(*_: Any) -> tuple[float, ...]:
    raise AssertionError("gaps are measured from stored statistics, never from items")


ACCURACY = Metric("accuracy", ("correct", "items"), _unused, ratio, "share of right answers")
METRICS = {
    "classification": {"accuracy": ACCURACY},
    "multiple_choice": {"accuracy": ACCURACY},
    "tagging": {"f1": Metric("f1", ("found", "extra", "lost"), _unused, _f1, "span F1")},
}
FACTS: dict[str, dict[str, Any]] = {
    "nli": {"task_type": "classification", "metric": "accuracy", "chance": 100 / 3, "parallel": True},
    "ner": {"task_type": "tagging", "metric": "f1"},
    "copa": {
        "task_type": "multiple_choice", "metric": "accuracy", "chance": 50.0, "source_language": None,
        "notes": ("limited to 150 items a language",),
    },
    "qa": {
        "task_type": "classification", "metric": "accuracy", "chance": 25.0,
        "split": "validation", "notes": ("other split: validation, not test",),
    },
}  # fmt: skip


def build(folder: Path) -> Path:
    """Write the study's three input files into `folder`."""
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    made = list(_measured())
    rows = [row for row, _ in made]
    scores.write(folder / "scores.jsonl", [*rows, *_others(rows), *_published(), *_missing()])
    evidence.write(folder / evidence.FILE, [items for _, items in made])
    return folder


def board(folder: Path) -> Board:
    return read(build(folder), METRICS)


def _measured() -> Iterator[tuple[Score, Items]]:
    for model in BASE:
        for strategy in ("single", "multitask"):
            for seed in (1, 2, 3):
                for task, codes in LANGUAGES.items():
                    if task == "qa" and (model, strategy) == ("mini-l", "multitask"):
                        continue
                    if task == "ner" and (model, strategy, seed) == ("mini-s", "single", 3):
                        continue
                    for language in codes.split():
                        yield _cell(model, strategy, seed, task, language)


def _rate(model: str, strategy: str, task: str, language: str) -> float:
    if task == "copa" or (task, model) == ("qa", "mini-s"):
        return 0.52 if task == "copa" else 0.27
    helped = 0.14 if strategy == "multitask" and language != "en" and model == "mini-l" else 0.0
    return BASE[model] + SKILL[language] + helped


def _cell(model: str, strategy: str, seed: int, task: str, language: str) -> tuple[Score, Items]:
    chance = random.Random(f"{model} {strategy} {seed} {task} {language}")
    rate = _rate(model, strategy, task, language)
    right = np.array([float(chance.random() < rate) for _ in range(150)])
    f1 = task == "ner"
    columns = [right, 1 - right, 1 - right] if f1 else [right, np.ones(150)]
    stage = f"{task}{model[-1]}{strategy[0]}{seed}".ljust(32, "0")
    items = Items.of(stage, language, [f"{place:03}" for place in range(150)], np.stack(columns, 1))
    total, embedding = SIZES[model]
    values: dict[str, Any] = {"source_language": "en", "split": "test", **FACTS[task]}
    if (task, language) == ("ner", "sw"):
        values["notes"] = ("partial data: 150 of 1000 rows",)
    return Score(
        model=model, parameters=total, embedding_parameters=embedding,
        family=FAMILIES[model], strategy=strategy,
        seed=seed, task=task, language=language, main=True, value=100 * float(right.mean()),
        n=150, stage=stage, **values,
    ), items  # fmt: skip


def _others(rows: list[Score]) -> Iterator[Score]:
    """A second metric for one task."""
    for row in rows:
        if row.task == "ner":
            values = {"metric": "token_accuracy", "main": False, "value": row.value / 2 + 50}
            yield row.model_copy(update=values)


def _published() -> Iterator[Score]:
    """An arm somebody else measured, with a name that must stay text."""
    for task in ("nli", "ner"):
        for language in LANGUAGES[task].split():
            facts = {"source_language": "en", "split": "test", **FACTS[task]}
            yield Score(
                model=ODD, strategy="single", seed=None, task=task, language=language, main=True,
                value=80.0 if language == "en" else 60.0, n=150, provenance="published",
                source="A paper & its table | 2", **facts,
            )  # fmt: skip


def _missing() -> Iterator[Missing]:
    for seed in (1, 2, 3):
        yield Missing(
            model="mini-l", strategy="multitask", seed=seed, task="qa",
            reason="failed: the loss is not finite at step 40",
        )  # fmt: skip
        for strategy in ("single", "multitask"):
            for task in LANGUAGES:
                yield Missing(
                    model="broken", strategy=strategy, seed=seed, task=task,
                    reason="failed: no weights in the folder",
                )  # fmt: skip
            for model in BASE:
                yield Missing(
                    model=model, strategy=strategy, seed=seed, task="nli", language="ur",
                    reason="data: no file for ur",
                )  # fmt: skip
