"""Published recipes by name: which fields count, for which task and size of model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toy import card, toy_catalogue
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import RunEnvironment
from xharness.spec import documents
from xharness.spec.examination import validate
from xharness.spec.recipe import Recipe, common_fields
from xharness.spec.study import Study
from xharness.spec.study_document import StudyDocument
from xharness.stages import Train

PAPER = """\
recipes:
  paper:
    source: a script
    base: {{epochs: {epochs}, max_length: 64, warmup_ratio: 0.0}}
    large: {{epochs: 9, gradient_accumulation_steps: 4}}
about"""


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name, epochs in (("red", 5), ("green", 7)):
        text = card(folder, name).read_text().replace("about", PAPER.format(epochs=epochs))
        (folder / f"{name}.yaml").write_text(text)
    card(folder, "blue")
    return folder


def _plan(cards: Path, recipe: Any, **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "name": "colours",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": ["single"],
        "targets": ["red"],
        "recipe": recipe,
    }
    catalogue, environment = toy_catalogue(cards), RunEnvironment()
    document = documents.Document("study.yaml", values | changes, {})
    study = validate(document, Study)
    return compile_plan(
        PlanningContext(
            study,
            catalogue,
            DataReader(catalogue, environment).data_slice,
            environment,
            StudyDocument(document),
        )
    )


def _recipe(plan: Plan, task: str = "red") -> Recipe:
    (arm,) = (arm for arm in plan.arms if arm.target.task == task)
    model = arm.score.predictions.model
    assert isinstance(model, Train)
    assert model.recipe == arm.score.predictions.recipe or len(model.feeds) > 1
    return model.recipe


def test_a_name_is_enough(cards: Path) -> None:
    recipe = _recipe(_plan(cards, "paper"))
    assert recipe == Recipe(epochs=5, max_length=64, warmup_ratio=0.0)
    assert recipe == _recipe(_plan(cards, {"preset": "paper"}))


def test_large_models_have_a_column_of_their_own(cards: Path) -> None:
    models = [{"name": "m", "backend": "counting", "size": "large"}]
    recipe = _recipe(_plan(cards, "paper", models=models))
    assert recipe == Recipe(
        epochs=9, max_length=64, warmup_ratio=0.0, gradient_accumulation_steps=4
    )


def test_later_words_count_more(cards: Path) -> None:
    recipe: dict[str, Any] = {"preset": "paper", "max_length": 32, "batch_size": 32}
    assert _recipe(_plan(cards, recipe)).max_length == 32
    recipe["tasks"] = {"red": {"max_length": 40}}
    assert _recipe(_plan(cards, recipe)).max_length == 40
    models = [{"name": "m", "backend": "counting", "recipe": {"max_length": 48}}]
    assert _recipe(_plan(cards, recipe, models=models)).max_length == 48
    strategies = [{"single": {"recipe": {"max_length": 56}}}]
    result = _recipe(_plan(cards, recipe, models=models, strategies=strategies))
    assert result == Recipe(epochs=5, max_length=56, warmup_ratio=0.0)


def test_saying_the_default_is_saying_something(cards: Path) -> None:
    assert _recipe(_plan(cards, {"preset": "paper", "max_length": 128})).max_length == 128


def test_what_is_learnt_together_takes_what_is_agreed(cards: Path) -> None:
    plan = _plan(cards, "paper", targets=["red", "green"], strategies=["multitask"])
    assert _recipe(plan) == Recipe(max_length=64, warmup_ratio=0.0)
    assert {arm.score.predictions.recipe.max_length for arm in plan.arms} == {64}


def test_a_card_without_the_recipe_keeps_the_study_s_own(cards: Path) -> None:
    plan = _plan(cards, {"preset": "paper", "batch_size": 8}, targets=["red", "blue"])
    assert _recipe(plan).epochs == 5
    assert _recipe(plan, "blue") == Recipe(batch_size=8)


@pytest.mark.parametrize("recipe", ["papr", {"preset": "papr"}])
def test_an_unknown_recipe_is_refused(cards: Path, recipe: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, recipe)
    assert "recipe.preset: no task of this study has a recipe 'papr'" in str(caught.value)
    assert "did you mean 'paper'?" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs: 5", "epoch: 5", "red.yaml:16:12: recipes.paper.base, epoch: unknown key 'epoch'"),
        ("epochs: 5", "epochs: 0", "recipes.paper.base, epochs: a number above 0 is needed"),
        (
            "gradient_accumulation_steps: 4",
            "gradient_acumulation_steps: 4",
            "did you mean 'gradient_accumulation_steps'?",
        ),
    ],
)
def test_recipes_of_cards_are_checked(cards: Path, old: str, new: str, message: str) -> None:
    text = (cards / "red.yaml").read_text()
    assert old in text
    (cards / "red.yaml").write_text(text.replace(old, new))
    with pytest.raises(ConfigurationError) as caught:
        toy_catalogue(cards).card("red")
    assert message in str(caught.value)


def test_fields_that_came_later_enter_a_key_once_they_are_said(cards: Path) -> None:
    def key(**recipe: Any) -> str:
        return _plan(cards, recipe).arms[0].score.predictions.key

    assert key() == key(max_query_length=None)
    assert key() != key(max_query_length=32)


fields = st.fixed_dictionaries(
    {}, optional={"epochs": st.sampled_from([1.0, 2.0]), "doc_stride": st.sampled_from([0, 64])}
)


@given(recipes=st.lists(fields, min_size=1, max_size=4))
def test_agreement_is_what_all_say(recipes: list[dict[str, Any]]) -> None:
    common = common_fields(recipes)
    for name in ("epochs", "doc_stride"):
        values = [recipe.get(name) for recipe in recipes]
        assert common.get(name) == (values[0] if len({*values}) == 1 else None)


def test_agreement_is_of_values_not_of_spellings() -> None:
    assert common_fields([{"learning_rate": "2e-5"}, {"learning_rate": 2e-5}]) == {
        "learning_rate": 2e-5
    }
