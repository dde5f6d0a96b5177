"""Pairs of query and passage: learnt by cosine, with a scale that is saved like any head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.hf import tiny
from tests.hf.test_loading import weights
from xharness.plugin.api import Recipe, TrainingSet
from xharness.task_types.retrieval import RetrievalExample, average_precision
from xharness.testing import predict, toy_card, toy_examples
from xharness_hf.backbone.batch import Layout, collate
from xharness_hf.backbone.tokens import Tokens
from xharness_hf.heads.contrastive import ContrastiveObjective
from xharness_hf.heads.objectives import exact_targets

OTHER = dict(zip(tiny.WORDS[:14], tiny.WORDS[7:14] + tiny.WORDS[:7], strict=True))
"""Each word wants another one: nothing that a model could guess."""


def _pairs(count: int) -> list[RetrievalExample]:
    pairs = []
    for number, example in enumerate(toy_examples("retrieval", count)):
        assert isinstance(example, RetrievalExample)
        answer = " ".join(OTHER[word] for word in example.query.split())
        pairs.append(RetrievalExample(example.id, example.query, str(number), answer))
    return pairs


def _fit(bert: Path, folder: Path, **changes: Any) -> Any:
    model = tiny.start(bert)
    card = toy_card("retrieval")
    feed = TrainingSet(card, tiny.TASK_TYPES["retrieval"], "task", card.head_name, _pairs(140))
    recipe = {"epochs": 12, "learning_rate": 3e-3, "batch_size": 20, "max_length": 16} | changes
    model.facts = model.fit([feed], Recipe(**recipe), tiny.session(folder))
    return model


def _map(model: Any) -> float:
    answers = predict(model, toy_card("retrieval"), _pairs(100), Recipe(max_length=16))
    return sum(map(average_precision, answers)) / len(answers)


def test_what_belongs_together_is_found(bert: Path, tmp_path: Path) -> None:
    start, trained = tiny.start(bert), _fit(bert, tmp_path)
    assert _map(trained) > 0.8 > 0.4 > _map(start)


def test_the_scale_is_learnt_and_saved(bert: Path, tmp_path: Path) -> None:
    model = _fit(bert, tmp_path / "session", epochs=1)
    head = model.heads.get("toy_retrieval", "retrieval", 1)
    assert head.scale.item() != 100
    assert abs(head.scale.item() - 100) < 1
    model.save(tmp_path / "model")
    loaded_model = tiny.BACKEND.load(tmp_path / "model", "cpu")
    assert loaded_model.heads.get("toy_retrieval", "retrieval").scale.item() == head.scale.item()
    for tensor, loaded_tensor in zip(weights(model), weights(loaded_model), strict=True):
        assert torch.equal(tensor, loaded_tensor)


def test_an_interrupted_training_ends_with_the_same_weights(bert: Path, tmp_path: Path) -> None:
    calm = _fit(bert, tmp_path / "calm", epochs=1)

    def stop(count: int, total: int | None) -> None:
        if count == 4:
            raise KeyboardInterrupt

    card = toy_card("retrieval")
    feed = TrainingSet(card, tiny.TASK_TYPES["retrieval"], "task", card.head_name, _pairs(140))
    recipe = Recipe(epochs=1, learning_rate=3e-3, batch_size=20, max_length=16)
    with pytest.raises(KeyboardInterrupt):
        tiny.start(bert).fit([feed], recipe, tiny.session(tmp_path / "stopped", progress=stop))
    resumed = _fit(bert, tmp_path / "stopped", epochs=1)
    assert all(torch.equal(a, b) for a, b in zip(weights(calm), weights(resumed), strict=True))
    assert calm.facts["loss"] == resumed.facts["loss"]


def test_queries_are_cut_shorter_than_passages(bert: Path) -> None:
    tokens: Tokens = tiny.start(bert).tokens
    long = " ".join(tiny.WORDS[:12])
    examples = [RetrievalExample("1", long, "1", long), RetrievalExample("2", long, "2", None)]
    (feature,) = ContrastiveObjective("retrieval").features(
        examples, tokens, Recipe(max_length=10, max_query_length=6), gold=True
    )
    assert [len(window.ids) for window in feature.windows] == [6, 10]


def test_pairs_that_share_a_text_are_no_foes(bert: Path) -> None:
    model = tiny.start(bert)
    task, recipe = ContrastiveObjective("retrieval"), Recipe(max_length=16)
    pairs = [
        RetrievalExample(str(n), word, str(n), "stone") for n, word in enumerate(["red", "blue"])
    ]
    features = task.features(pairs, model.tokens, recipe, gold=True)
    batch = collate(features, Layout(0), torch.device("cpu"))
    targets = exact_targets(task, batch, Layout(0), recipe)
    states = model.backbone.states(batch).flatten(0, 1)
    loss = task.loss(states, lambda cosines: cosines, targets, recipe)
    assert loss.item() == 0
