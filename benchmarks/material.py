"""Data and models that the contestants share: cards' examples, and heads that start alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured import Setting
from xharness.data.reader import DataReader
from xharness.errors import UnavailableError
from xharness.plugin.api import Recipe, RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.session.session import open_catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness_hf.config.options import Answers

SEED = 1
LENGTHS = {"tagging": 128, "classification": 128, "extractive_qa": 384}
"""What the reference scripts of XTREME pad to."""


class Material:
    """A task's card, and its examples by language."""

    def __init__(self, setting: Setting, task: str) -> None:
        self.catalogue: Catalogue = open_catalogue([])
        self.card: TaskCard = self.catalogue.card(task)
        self.kind = self.catalogue.task_types[self.card.task_type]
        self.length = LENGTHS.get(self.card.task_type, 128)
        around = RunEnvironment(data_root=setting.data_root, offline=True)
        self._data = DataReader(self.catalogue, around)
        self.setting = setting

    def learnt(self, count: int) -> list[Any]:
        """English examples to learn from."""
        portion = self._data.data_slice(self.card, "en", "train", None)
        return self._data.load(portion, learn=True).examples[: self.setting.count(count)]

    def asked(self, each: int, split: Split = "validation") -> list[tuple[str, list[Any]]]:
        """(language, examples) of every language there is, at most `each` of each."""
        return [
            (language, found)
            for language in self.card.languages
            if (found := self.of(language, each, split))
        ]

    def of(self, language: str, count: int, split: Split = "validation") -> list[Any]:
        """Examples of one language; none where it is not under the data root."""
        try:
            portion = self._data.data_slice(self.card, language, split, self.setting.count(count))
            return list(self._data.load(portion).examples)
        except UnavailableError:
            return []

    def recipe(self, **changes: Any) -> Recipe:
        """One epoch in batches of 32, at the length and precision that all use."""
        same = {"epochs": 1, "batch_size": 32, "max_length": self.length, "doc_stride": 128}
        return Recipe().changed(same | {"precision": self.setting.precision} | changes)

    def score(self, examples: list[Any], answers: list[Any], language: str = "en") -> float:
        """The task's main metric in percent."""
        metric = self.kind.metrics[self.card.metrics[0]]
        rows = [
            metric.item(example, answer, self.card, language)
            for example, answer in zip(examples, answers, strict=True)
        ]
        return 100 * float(metric.value(np.asarray(rows, dtype=np.float64).sum(axis=0)))


def body(folder: Path, answers: Answers = "heads") -> Any:
    """The harness's model over the body in `folder`, on the CPU."""
    from xharness_hf.build import start
    from xharness_hf.config.options import Options

    return start(Options(path=folder, mode=answers), RunEnvironment(offline=True), "cpu")


def head(model: Any, card: TaskCard) -> Any:
    """The head with which every contestant starts, on the harness's model."""
    from xharness_hf.heads.heads import build_head, seeded
    from xharness_hf.heads.tasks import TASKS

    task = TASKS[card.task_type]
    found = seeded(build_head(task.kind, task.outputs(card), model.backbone), SEED, card.head_name)
    model.heads.add(card.head_name, found)
    return found
