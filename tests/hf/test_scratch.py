"""Scratch models: from nothing, by seed and texts, to one that knows its words."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.hf import tiny
from tests.hf.test_loading import weights
from xharness.errors import StageError, UnavailableError
from xharness.plugin.api import Mixture, Recipe, RunEnvironment, TrainingSet
from xharness.task_types.bitext_retrieval import BitextExample
from xharness.testing import predict, toy_card, toy_examples
from xharness_hf.backbone.batch import Feature, Layout
from xharness_hf.backbone.vocabulary import learn
from xharness_hf.config.options import Options
from xharness_hf.inference import read

SPEC = {
    "hidden": 32,
    "num_layers": 1,
    "heads": 2,
    "max_positions": 40,
    "tokenizer": {"vocabulary": 400},
}


def _start(folder: Path, **changes: Any) -> Any:
    options = Options.model_validate({"scratch": SPEC | changes})
    return tiny.BACKEND.start(options, RunEnvironment(cache=folder, base=folder), "cpu")


def _pairs(count: int) -> list[BitextExample]:
    draw = random.Random(4)
    glossary = {word: f"{word[::-1]}o" for word in tiny.WORDS}
    pairs = []
    for number in range(count):
        words = draw.choices(tiny.WORDS, k=5)
        pairs.append(
            BitextExample(
                str(number), " ".join(words), " ".join(glossary[w] for w in words), number
            )
        )
    return pairs


def _corpus(objective: Any, count: int = 60) -> TrainingSet:
    return TrainingSet(
        toy_card("bitext_retrieval"),
        tiny.TASK_TYPES["bitext_retrieval"],
        objective,
        "mlm",
        _pairs(count),
    )


def test_before_its_first_training_there_is_nothing_to_ask(tmp_path: Path) -> None:
    model = _start(tmp_path)
    assert model.sizes().embedding == 400 * 32
    with pytest.raises(StageError, match="no tokenizer and no weights before its first training"):
        model.embed(["the cat"], Recipe())


@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta"])
def test_masked_words_become_less_of_a_riddle(tmp_path: Path, architecture: str) -> None:
    losses = []
    for steps in (2, 80):
        model = _start(tmp_path, architecture=architecture)
        recipe = Recipe(steps=steps, learning_rate=5e-3, batch_size=16)
        session = tiny.session(tmp_path / str(steps), mixture=Mixture("uniform"))
        facts = model.fit([_corpus("mlm"), _corpus("tlm")], recipe, session)
        losses.append(facts["loss"])
    assert losses[1] < 0.85 * losses[0]
    assert list(model.heads) == ["mlm"]
    assert model.backbone.limit == 40
    assert model.sizes().embedding == model.tokens.size * 32
    model.save(tmp_path / "model")
    loaded_model = tiny.BACKEND.load(tmp_path / "model", "cpu")
    assert all(
        torch.equal(a, b) for a, b in zip(weights(model), weights(loaded_model), strict=True)
    )
    head = loaded_model.heads.get("mlm", "mlm")
    assert head._tied[0] is loaded_model.backbone.embedding, (
        "the output matrix stays that of the input"
    )


def test_a_pretrained_scratch_model_learns_a_task(tmp_path: Path) -> None:
    model = _start(tmp_path)
    model.fit([_corpus("mlm")], Recipe(steps=5), tiny.session(tmp_path / "1"))
    recipe = tiny.RECIPE.model_copy(update={"learning_rate": 1e-2})
    model.fit([tiny.feed("classification", 200)], recipe, tiny.session(tmp_path / "2"))
    assert list(model.heads) == ["toy_classification"]
    examples = toy_examples("classification", 60, seed=9)
    card, task_type = toy_card("classification"), tiny.TASK_TYPES["classification"]
    assert tiny.accuracy(model.predict(card, task_type, examples, recipe), examples) > 0.9


def test_seed_and_texts_are_all_there_is(tmp_path: Path) -> None:
    def made(seed: int, name: str) -> Any:
        model = _start(tmp_path)
        session = tiny.session(tmp_path / name, seed=seed)
        model.fit([_corpus("tlm")], Recipe(steps=2), session)
        return model

    first, repetition, another_seed = made(1, "a"), made(1, "b"), made(2, "c")
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(repetition), strict=True))
    assert first.tokens.tokenizer.get_vocab() == another_seed.tokens.tokenizer.get_vocab()
    assert not torch.equal(first.backbone.embedding.weight, another_seed.backbone.embedding.weight)


def test_a_given_tokenizer_is_used(bert: Path, tmp_path: Path) -> None:
    model = _start(tmp_path, tokenizer=str(bert))
    model.fit([tiny.feed("multiple_choice")], Recipe(steps=1), tiny.session(tmp_path / "s"))
    assert model.tokens.tokenizer.get_vocab() == tiny.start(bert).tokens.tokenizer.get_vocab()
    with pytest.raises(UnavailableError, match=r"no tokenizer here; expected a tokenizer\.json"):
        _start(tmp_path, tokenizer="nowhere")


_LEARN = """
import hashlib, random
from xharness_hf.backbone.vocabulary import learn
draw = random.Random(1)
letters = [chr(code) for code in (*range(97, 123), *range(0x430, 0x450), *range(0x4E00, 0x4E80))]
words = ["".join(draw.choices(letters, k=draw.randint(1, 8))) for _ in range(900)]
texts = [" ".join(draw.choices(words, k=8)) for _ in range(400)]
print(hashlib.sha256(learn(texts, 800).to_str().encode()).hexdigest())
"""


def test_learning_a_vocabulary_is_deterministic_between_processes() -> None:
    runs = [
        subprocess.run([sys.executable, "-c", _LEARN], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    assert len({run.stdout for run in runs}) == 1


def test_words_are_spelled_alike_in_sentences_and_in_lists() -> None:
    tokenizer = learn([" ".join(tiny.WORDS), "of, course!"], 300)
    assert tokenizer.get_vocab_size() <= 300
    encoded = tokenizer.encode("the cat, 東京!", add_special_tokens=False)
    words = ["the", "cat", ",", "東", "京", "!"]
    word_ids = tokenizer.encode(words, is_pretokenized=True, add_special_tokens=False)
    assert encoded.ids == word_ids.ids
    assert encoded.tokens == words


def test_masking_wants_a_body_that_reads_both_ways(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(StageError, match=r"'mlm' hides words .* reads left to right"):
        tiny.start(folders["gemma"]).fit([_corpus("mlm")], Recipe(), tiny.session(tmp_path))
    with pytest.raises(StageError, match="TLM needs aligned sentences"):
        tiny.start(folders["bert"]).fit(
            [tiny.feed("multiple_choice", objective="tlm")], Recipe(), tiny.session(tmp_path)
        )


@pytest.mark.parametrize(
    "task_type", ["classification", "multiple_choice", "tagging", "extractive_qa"]
)
def test_words_of_any_task_type_can_be_masked(bert: Path, tmp_path: Path, task_type: str) -> None:
    feed = tiny.feed(task_type, objective="mlm")
    facts = tiny.start(bert).fit([feed], Recipe(steps=1), tiny.session(tmp_path))
    assert facts["windows"][f"toy_{task_type} (mlm)"] >= 96


def test_retrieval_finds_the_line(bert: Path) -> None:
    model = tiny.start(bert)
    pairs = [BitextExample(str(n), word, word, n) for n, word in enumerate(tiny.WORDS[:16])]
    for layer in (-1, 0, 1):
        answers = predict(model, toy_card("bitext_retrieval"), pairs, Recipe(layer=layer))
        assert answers == list(range(16))
    assert model.embed([], Recipe()).shape == (0, 32)
    vectors = model.embed(["the cat", "the cat", "bird"], Recipe())
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors[0], vectors[1])


def test_full_memory_halves_the_batch(bert: Path) -> None:
    model = tiny.start(bert)
    features = [
        Feature((model.tokens.single(ids, 20),), index)
        for index, ids in enumerate(model.tokens.ids(tiny.WORDS))
    ]
    sizes: list[int] = []

    def ask(states: Any, batch: Any) -> list[int]:
        sizes.append(len(batch.features))
        if len(batch.features) > 5:
            raise torch.OutOfMemoryError
        return [feature.owner for feature in batch.features]

    layout, cpu = Layout(model.tokens.pad), torch.device("cpu")
    assert read(model.backbone, features, layout, Recipe(), cpu, ask) == list(range(len(features)))
    assert sizes[0] == len(features)

    def never(states: Any, batch: Any) -> list[int]:
        raise torch.OutOfMemoryError

    with pytest.raises(StageError, match="not enough memory for one input of 3 sub-words"):
        read(model.backbone, features[:1], layout, Recipe(), cpu, never)
