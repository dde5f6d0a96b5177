"""Adapters on every family: each learns and comes back, or is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.families import spoken, zoo
from tests.families.conftest import Folder
from tests.hf import tiny
from xharness.errors import StageError
from xharness.extend import Recipe
from xharness.testing import toy_card, toy_examples

METHODS = ("lora", "prompt", "prefix")
RECIPE = Recipe(steps=4, learning_rate=1e-2, batch_size=8, max_length=32, answer_length=8)
DEAF = {
    "prompt": {"canine": "it takes no vectors in place of sub-words"},
    "prefix": {
        "canine": "it takes no keys and values from outside",
    },
}


@pytest.mark.parametrize("family", zoo.EVERY)
@pytest.mark.parametrize("method", METHODS)
def test_it_learns_and_comes_back_or_is_refused(
    method: str, family: str, folder: Folder, tmp_path: Path
) -> None:
    model, recipe = tiny.start(folder(family)), RECIPE.changed({"adapter": method})
    try:
        facts = model.fit([tiny.feed("classification")], recipe, tiny.session(tmp_path / "run"))
    except StageError as e:
        print(family, method, str(e))
        raise
    assert facts["learning_parameters"] < model.sizes().total
    model.save(tmp_path / "saved")
    again = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    texts = ["the red cat", "bird"]
    assert (again.embed(texts, recipe) == model.embed(texts, recipe)).all()
    assert again.sizes() == model.sizes()
