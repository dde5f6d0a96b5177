"""Adapters on every family: each learns and comes back, or is refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.families import verbalized, zoo
from tests.families.conftest import Folder
from tests.hf import tiny
from xharness.errors import StageError
from xharness.plugin.api import Recipe
from xharness.testing import toy_examples

RECIPE = Recipe(steps=4, learning_rate=1e-2, batch_size=8, max_length=32, max_answer_length=8)
_NOTHING_TAKEN = "takes no keys and values from outside"
_NOTHING_READ = "does not read the keys and values that it is given"
REFUSED = {
    ("prompt", "canine"): "takes no vectors in place of sub-words",
    **{("prefix", family): _NOTHING_TAKEN for family in ("deberta", "modernbert", "canine")},
    **{("prefix", family): _NOTHING_TAKEN for family in ("mbart", "nllb")},
    **{("prefix", family): _NOTHING_READ for family in ("mt5", "umt5", "t5", "byt5")},
}


def _fit(model: Any, method: str, folder: Path, **changes: Any) -> Any:
    recipe = RECIPE.changed({"adapter": method}, changes)
    return model.fit([tiny.feed("classification")], recipe, tiny.session(folder))


@pytest.mark.parametrize("family", zoo.EVERY)
@pytest.mark.parametrize("method", ["lora", "prompt", "prefix"])
def test_it_learns_and_comes_back_or_is_refused(
    method: str, family: str, folder: Folder, tmp_path: Path
) -> None:
    model = tiny.start(folder(family))
    if (method, family) in REFUSED:
        with pytest.raises(StageError, match=REFUSED[method, family]):
            _fit(model, method, tmp_path / "run")
        return
    assert 0 < _fit(model, method, tmp_path / "run")["learning_parameters"] < model.sizes().total
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    texts = ["the red cat", "bird"]
    assert (loaded_model.embed(texts, RECIPE) == model.embed(texts, RECIPE)).all()
    assert loaded_model.sizes() == model.sizes()


@pytest.mark.parametrize("family", ["mt5", "gemma"])
def test_lora_learns_to_answer_in_words(family: str, folder: Folder, tmp_path: Path) -> None:
    model, feed = tiny.start(folder(family), mode="generate"), verbalized.feed("classification")
    sizes, fresh = model.sizes(), toy_examples("classification", 40, seed=9)
    recipe = RECIPE.changed(
        {"adapter": {"method": "lora", "r": 8, "lora_alpha": 32}, "steps": 90, "batch_size": 16}
    )
    model.fit([feed], recipe, tiny.session(tmp_path / "run"))
    answers = model.predict(feed.card, feed.task_type, fresh, recipe)
    assert tiny.accuracy(answers, fresh) > 0.85
    assert model.sizes() == sizes
    model.save(tmp_path / "saved")
    loaded_model = tiny.BACKEND.load(tmp_path / "saved", "cpu")
    assert loaded_model.predict(feed.card, feed.task_type, fresh, recipe) == answers
    with pytest.raises(StageError, match="answers in words cannot learn a prompt"):
        model.fit([feed], RECIPE.changed({"adapter": "prompt"}), tiny.session(tmp_path / "no"))
