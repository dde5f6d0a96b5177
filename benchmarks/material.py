"""Data and models that the contestants share: cards' examples, and heads that start alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurement import Setting
from xharness import (
    DataReader,
    Recipe,
    RunEnvironment,
    Split,
    TaskCard,
    UnavailableError,
    open_catalogue,
)
from xharness_hf.config.options import AnswerMode

SEED = 1
LENGTHS = {"tagging": 128, "classification": 128, "extractive_qa": 384}
"""What the reference scripts of XTREME pad to."""


class Material:
    """A task's card, and its examples by language."""

    def __init__(self, setting: Setting, task: str) -> None:
        self.catalogue = open_catalogue()
        self.card = self.catalogue.card(task)
        self.task_type = self.catalogue.task_types[self.card.task_type]
        self.length = LENGTHS.get(self.card.task_type, 128)
        environment = RunEnvironment(data_root=setting.data_root, offline=True)
        self._data = DataReader(self.catalogue, environment)
        self.setting = setting

    def train_examples(self, count: int | None) -> list[Any]:
        """English examples to learn from, at most `count` at this scale."""
        data_slice = self._data.data_slice(self.card, "en", "train", None)
        examples = self._data.load(data_slice, learn=True).examples
        return examples if count is None else examples[: self.setting.count(count)]

    def eval_examples(self, count: int, split: Split = "validation") -> list[tuple[str, list[Any]]]:
        """(language, examples) of every language there is, at most `count` of each."""
        return [
            (language, examples)
            for language in self.card.languages
            if (examples := self.of_language(language, count, split))
        ]

    def of_language(self, language: str, count: int, split: Split = "validation") -> list[Any]:
        """Examples of one language; none where it is not under the data root."""
        try:
            data_slice = self._data.data_slice(
                self.card, language, split, self.setting.count(count)
            )
            return list(self._data.load(data_slice).examples)
        except UnavailableError:
            return []

    def recipe(self, **changes: Any) -> Recipe:
        """One epoch in batches of 32, at the length and precision that all use."""
        common = {"epochs": 1, "batch_size": 32, "max_length": self.length, "doc_stride": 128}
        return Recipe().changed(common | {"precision": self.setting.precision} | changes)

    def score(self, examples: list[Any], answers: list[Any], language: str = "en") -> float:
        """The task's main metric in percent."""
        metric = self.task_type.metrics[self.card.metrics[0]]
        rows = [
            metric.item(example, answer, self.card, language)
            for example, answer in zip(examples, answers, strict=True)
        ]
        return 100 * float(metric.value(np.asarray(rows, dtype=np.float64).sum(axis=0)))


def load_model(folder: Path, mode: AnswerMode = "head", device: str = "cpu") -> Any:
    """The harness's model over the backbone in `folder`."""
    from xharness_hf.build import start
    from xharness_hf.config.options import Options

    return start(Options(path=folder, mode=mode), RunEnvironment(offline=True), device)


def head(model: Any, card: TaskCard) -> Any:
    """The head with which every contestant starts, on the harness's model."""
    from xharness_hf.heads.heads import build_head, seeded
    from xharness_hf.heads.tasks import TASKS

    task = TASKS[card.task_type]
    empty = build_head(task.task_type, task.outputs(card), model.backbone)
    seeded_head = seeded(empty, SEED, card.head_name).to(model.backbone.module.device)
    model.heads.add(card.head_name, seeded_head)
    return seeded_head


def tokens(folder: Path) -> Any:
    """The harness's tokenizer of the backbone in `folder`."""
    from xharness_hf.backbone.tokens import Tokens
    from xharness_hf.files import loading

    return Tokens(loading.tokenizer(folder), causal=False)


def count_tokens(tokens: Any, shared: Material, examples: list[Any]) -> int:
    """Sub-words that are read to answer the examples, specials and repeated contexts counted."""
    from xharness_hf.backbone.texts import texts
    from xharness_hf.heads.tasks import TASKS

    if shared.card.task_type in TASKS:
        features = TASKS[shared.card.task_type].features(
            examples, tokens, shared.recipe(), gold=False
        )
        return sum(len(window.ids) for feature in features for window in feature.windows)
    spellings = tokens.ids([text for example in examples for text in texts(example)])
    return sum(min(len(ids) + 2, shared.length) for ids in spellings)
