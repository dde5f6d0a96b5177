"""Aligning words: translations find each other in every language, and frozen words stay put."""

from __future__ import annotations

from pathlib import Path

import torch

from xharness.plugin.api import Recipe, RunEnvironment, TrainingSession, TrainingSet
from xharness.task_types import BUILTIN
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.testing import predict, toy_card
from xharness_hf.config.options import Options
from xharness_hf.model import HfModel
from xharness_hf.plugin import HfBackend
from xharness_mini import rows

BITEXT = next(task_type for task_type in BUILTIN if task_type.name == "bitext_retrieval")
SCRATCH = {
    "architecture": "bert", "hidden": 48, "num_layers": 1, "heads": 2, "dropout": 0,
    "tokenizer": {"vocabulary": 1500},
}  # fmt: skip


def _pairs(split: str, count: int) -> list[BitextExample]:
    task = "parallel" if split == "train" else "bitext"
    found = [
        row for language in ("de", "ru") for row in rows(task, language, split, seed=0, size=count)
    ]
    return [
        BitextExample(str(index), str(row["source"]), str(row["target"]), index)
        for index, row in enumerate(found)
    ]


def _model(folder: Path) -> HfModel:
    options = Options.model_validate({"scratch": SCRATCH})
    return HfBackend().start(options, RunEnvironment(cache=folder), "cpu")


def _fit(model: HfModel, folder: Path, steps: int) -> None:
    feed = TrainingSet(toy_card("bitext_retrieval"), BITEXT, "align", "align", _pairs("train", 600))
    recipe = Recipe(steps=steps, batch_size=64, learning_rate=5e-3)
    model.fit([feed], recipe, TrainingSession(seed=0, folder=folder / "checkpoint"))


def _right(model: HfModel) -> float:
    """Share of 100 German and 100 Russian sentences found, each among its own language's."""
    hits = 0
    for first in (0, 100):
        pairs = _pairs("test", 100)[first : first + 100]
        answers = predict(model, toy_card("bitext_retrieval"), pairs, Recipe(layer=0))
        hits += sum(answer == example.label for answer, example in zip(answers, pairs, strict=True))
    return hits / 200


def test_translations_find_each_other(tmp_path: Path) -> None:
    start, trained = _model(tmp_path), _model(tmp_path)
    _fit(start, tmp_path / "before", steps=1)
    _fit(trained, tmp_path / "after", steps=150)
    assert _right(trained) > 0.8 > 0.4 > _right(start)


def test_only_words_are_moved(tmp_path: Path) -> None:
    short, long = _model(tmp_path), _model(tmp_path)
    _fit(short, tmp_path / "short", steps=1)
    _fit(long, tmp_path / "long", steps=5)
    moved = {
        name
        for (name, tensor), start_tensor in zip(
            short.backbone.module.named_parameters(), long.backbone.module.parameters(), strict=True
        )
        if not torch.equal(tensor, start_tensor)
    }
    assert moved == {"embeddings.word_embeddings.weight"}
