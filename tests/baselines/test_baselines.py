"""The baselines keep the contract of every backend, and are the floors they claim to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xharness.plugin.api import NoOptions, Recipe, TrainingSession, TrainingSet
from xharness.task_types import BUILTIN
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.testing import BackendContract, toy_card, toy_examples
from xharness_baselines.model import CountingModel
from xharness_baselines.plugin import xharness_backends
from xharness_baselines.span import best_window, in_answer, words
from xharness_baselines.text import NgramOptions, buckets, vectors

MAJORITY, RANDOM, NGRAMS = xharness_backends()
TASK_TYPES = {task_type.name: task_type for task_type in BUILTIN}


class TestMajority(BackendContract):
    backend = MAJORITY
    learns = False
    interrupted_after = 0  # it tells once


class TestRandom(BackendContract):
    backend = RANDOM
    learns = False
    interrupted_after = None


class TestNgrams(BackendContract):
    backend = NGRAMS
    interrupted_after = 0  # it tells once


def test_the_contract_notices_that_nothing_was_interrupted(tmp_path: Path) -> None:
    kit = TestMajority()
    kit.interrupted_after = 7  # type: ignore[misc]
    with pytest.raises(AssertionError, match="the training ended before it reported progress"):
        kit.test_an_interrupted_training_ends_the_same(tmp_path)


def test_the_majority_wins_and_ties_go_to_the_first(tmp_path: Path) -> None:
    model = MAJORITY.make(NoOptions(), {})
    card, examples = toy_card("classification"), toy_examples("classification", 9)
    birds = [example for example in examples if example.label]
    _fit(model, "classification", birds, tmp_path)
    answers = model.predict(card, TASK_TYPES["classification"], examples, Recipe())
    assert list(answers) == [1] * 9
    model.arrays[card.head_name][:] = 4
    assert model.predict(card, TASK_TYPES["classification"], examples, Recipe())[0] == 0


def test_heads_are_dropped_or_kept(tmp_path: Path) -> None:
    model = MAJORITY.make(NoOptions(), {})
    _fit(model, "classification", toy_examples("classification", 5), tmp_path)
    _fit(model, "tagging", toy_examples("tagging", 5), tmp_path, heads="keep")
    assert set(model.arrays) == {"toy_classification", "toy_tagging"}
    _fit(model, "tagging", toy_examples("tagging", 5), tmp_path)
    assert set(model.arrays) == {"toy_tagging"}


def test_random_answers_hang_on_the_seed_and_the_item() -> None:
    card, examples = toy_card("classification"), toy_examples("classification", 60)
    task_type, seed = TASK_TYPES["classification"], {"seed": np.array([2])}
    guesses = RANDOM.make(NoOptions(), dict(seed)).predict(card, task_type, examples, Recipe())
    later_guesses = RANDOM.make(NoOptions(), dict(seed)).predict(
        card, task_type, examples[30:], Recipe()
    )
    assert list(guesses[30:]) == list(later_guesses)
    assert 15 < sum(guesses) < 45
    assert guesses != RANDOM.make(NoOptions(), {}).predict(card, task_type, examples, Recipe())


def test_buckets_do_not_depend_on_the_machine() -> None:
    assert buckets("ab", NgramOptions(orders=(2,), bits=8)).tolist() == [163, 79, 131]
    assert set(buckets("straße", NgramOptions())) == set(buckets("  STRAßE ", NgramOptions()))


def test_vectors_are_of_length_one() -> None:
    unit_vectors = vectors(["one two", "drei", ""], NgramOptions(bits=10))
    assert unit_vectors.shape == (3, 1024)
    assert np.allclose(np.linalg.norm(unit_vectors, axis=1)[:2], 1)


def test_the_window_beside_the_questions_words_answers() -> None:
    context = "snow falls in winter. The river Elbe rises in Bohemia. Bread is made of flour"
    example = ExtractiveQAExample(
        "1", "Where does the river Elbe rise?", context, (GoldAnswer("Bohemia", 46),)
    )
    assert sum(in_answer(example)) == 1
    nothing_learnt = np.zeros(len(words(context)))
    assert "Bohemia" in best_window(example, nothing_learnt, 2, NgramOptions())


def _fit(
    model: CountingModel, task_type: str, examples: list, folder: Path, heads: str = "drop"
) -> None:  # type: ignore[type-arg]
    card = toy_card(task_type)
    feed = TrainingSet(card, TASK_TYPES[task_type], "task", card.head_name, examples)
    model.fit([feed], Recipe(), TrainingSession(1, folder, heads=heads))  # type: ignore[arg-type]
