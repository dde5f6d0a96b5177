"""Every family with heads: it learns, reads what is too long, and comes back as it was saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.families import zoo
from tests.families.conftest import Folder
from tests.hf import tiny
from xharness.errors import StageError
from xharness.plugin.api import Recipe
from xharness.task_types.extractive_qa import ExtractiveQAExample, GoldAnswer
from xharness.testing import toy_examples

_RECIPE = Recipe(epochs=5, learning_rate=5e-3, batch_size=16, max_length=48)


@pytest.mark.parametrize("family", zoo.EVERY)
def test_a_family_learns_and_comes_back(family: str, folder: Folder, tmp_path: Path) -> None:
    model = tiny.start(folder(family))
    feed = tiny.feed("multiple_choice", 64)
    model.fit([feed], _RECIPE, tiny.session(tmp_path / "run"))
    answers = model.predict(feed.card, feed.task_type, feed.examples, _RECIPE)
    assert tiny.accuracy(answers, feed.examples) > 0.8
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    assert loaded_model.predict(feed.card, feed.task_type, feed.examples, _RECIPE) == answers


@pytest.mark.parametrize("family", zoo.EVERY)
def test_texts_longer_than_the_model_takes_are_read(family: str, folder: Folder) -> None:
    model = tiny.start(folder(family))
    recipe = _RECIPE.changed({"max_length": 4096})
    limit = model.backbone.limit or 300
    vectors = model.embed(["red bird " * limit, "red bird"], recipe)
    assert vectors.shape == (2, model.backbone.width)
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("family", ["canine", "byt5", "modernbert", "mt5", "bloom"])
def test_every_answer_is_a_stretch_of_the_context(
    family: str, folder: Folder, tmp_path: Path
) -> None:
    model = tiny.start(folder(family))
    feed = tiny.feed("extractive_qa", 256 if family == "byt5" else 64)  # bytes are learnt slowly
    model.fit([feed], _RECIPE, tiny.session(tmp_path / "run"))
    examples = toy_examples("extractive_qa", 30, seed=3)
    answers = model.predict(feed.card, feed.task_type, examples, _RECIPE)
    assert all(
        answer and answer in example.context
        for answer, example in zip(answers, examples, strict=True)
    )
    right = [
        answer == example.answers[0].text for answer, example in zip(answers, examples, strict=True)
    ]
    assert np.mean(right) > (0.9 if family not in ("canine", "byt5") else 0.5)


@pytest.mark.parametrize("family", ["canine", "byt5"])
def test_characters_and_bytes_stand_where_they_stand(family: str, folder: Folder) -> None:
    tokens = tiny.start(folder(family)).tokens
    text = "Straße 東京 naïve"
    ((ids, spans),) = tokens.ids_with_offsets([text])
    assert len(ids) == (len(text) if family == "canine" else len(text.encode()))
    assert {text[start:end] for start, end in spans.tolist()} == set(text)
    assert [start for start, _ in spans.tolist()] == sorted(start for start, _ in spans.tolist())


def test_hashed_characters_have_no_table_to_learn_masked_words_from(
    folder: Folder, tmp_path: Path
) -> None:
    model = tiny.start(folder("canine"))
    assert model.sizes().embedding > 0
    feed = tiny.feed("extractive_qa", 8, objective="mlm", head="mlm")
    with pytest.raises(StageError, match="no table of sub-words"):
        model.fit([feed], _RECIPE, tiny.session(tmp_path / "run"))


def test_what_a_tokenizer_moved_together_is_still_found() -> None:
    from xharness_hf.backbone.alignment import offsets

    text = "The  Lamp, and CAFÉ über"
    pieces = ["the", "lam@@", "p", ",", "and", "<unk>", "über"]
    stretches = [text[start:end] for start, end in offsets(text, pieces).tolist()]
    assert stretches == ["The", "Lam", "p", ",", "and", "CAFÉ", "über"]
    assert offsets("", []).shape == (0, 2)
    example = ExtractiveQAExample("1", "?", text, (GoldAnswer("Lamp", 5),))
    assert example.context[5:9] == "Lamp"
