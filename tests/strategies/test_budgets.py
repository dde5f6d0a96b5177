"""Budgets: steps of joint trainings, the control that trains longer, and what rows say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.strategies.running import RECIPE, run
from tests.toy import card, toy_plugins
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import RunEnvironment
from xharness.plugin.catalogue import Catalogue
from xharness.spec.study import Study
from xharness.stages import Mixture, Train


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green", "warm"):
        card(folder, name, role="intermediate" if name == "warm" else "target")
    return folder


def _plan(cards: Path, strategy: Any, **changes: Any) -> Plan:
    catalogue, environment = Catalogue(toy_plugins(cards)), RunEnvironment()
    values = {
        "name": "budgets",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": [strategy],
        "targets": ["red", "green"],
        "recipe": {"steps": 60},
    }
    study = Study.model_validate(values | changes)
    data = DataReader(catalogue, environment)
    return compile_plan(PlanningContext(study, catalogue, data.data_slice, environment))


def _trainings(plan: Plan) -> list[Train]:
    """Those behind the first arm, the last one first."""
    model, trainings = plan.arms[0].score.predictions.model, []
    while isinstance(model, Train):
        trainings.append(model)
        model = model.start
    return trainings


def _steps(plan: Plan) -> list[int | None]:
    return [training.recipe.steps for training in _trainings(plan)]


@pytest.mark.parametrize(
    ("strategy", "changes", "steps"),
    [
        ("single", {}, [60]),
        ("multitask", {}, [120]),
        ("multitask", {"budget": "per-training"}, [60]),
        ("multitask", {"recipe": {"epochs": 2}}, [None]),
        ("multitask", {"recipe": {"steps": 60, "tasks": {"red": {"steps": 30}}}}, [90]),
        ({"multitask": {"recipe": {"steps": 60}}}, {}, [60]),
        ({"multitask": {"finish": "single"}}, {}, [60, 120]),
        ({"intermediate": {"tasks": ["warm"]}}, {}, [60, 60]),
        ({"intermediate": {"tasks": ["warm", "green"], "mode": "multitask"}}, {}, [60, 120]),
        ({"single-long": {"tasks": ["warm"]}}, {}, [120]),
        ({"single-long": {"tasks": ["warm", "green"]}}, {}, [180]),
        ({"single": {"mlm": {"corpus": "warm", "ratio": 0.25}}}, {}, [80]),
        ({"single": {"mlm": {"corpus": "warm", "ratio": 0.25}}}, {"budget": "per-training"}, [60]),
    ],
)
def test_what_is_learnt_together_gets_the_steps_of_its_parts(
    cards: Path, strategy: Any, changes: dict[str, Any], steps: list[int | None]
) -> None:
    assert _steps(_plan(cards, strategy, **changes)) == steps


def test_parts_are_drawn_in_proportion_to_their_steps(cards: Path) -> None:
    tasks = {"red": {"steps": 30}}
    unequal = _trainings(_plan(cards, "multitask", recipe={"steps": 60, "tasks": tasks}))[0]
    assert unequal.mixture == Mixture(weights=(30.0, 60.0))
    assert _trainings(_plan(cards, "multitask"))[0].mixture == Mixture("uniform")
    by_size = _plan(cards, {"multitask": {"sampling": "proportional"}})
    assert _trainings(by_size)[0].mixture == Mixture("proportional")
    assert _trainings(_plan(cards, "multitask", recipe={"epochs": 2}))[0].mixture == Mixture()


def test_other_keys_stay_as_they_were(cards: Path) -> None:
    for strategy in ("single", {"intermediate": {"tasks": ["warm"]}}):
        equal, stated_steps = (
            [training.key for training in _trainings(_plan(cards, strategy, budget=budget))]
            for budget in ("equal", "per-training")
        )
        assert equal == stated_steps


def test_the_control_keeps_what_comes_at_the_end(cards: Path) -> None:
    shots = {"num_shots": 4, "languages": ["sw"], "split": "train", "recipe": {"steps": 9}}
    plan = _plan(cards, {"single-long": {"tasks": ["warm"], "few_shot": shots}})
    assert _steps(plan) == [9, 120]


def test_the_control_needs_steps(cards: Path) -> None:
    with pytest.raises(ConfigurationError, match="'single-long' needs a recipe that counts steps"):
        _plan(cards, {"single-long": {"tasks": ["warm"]}}, recipe={"epochs": 1})


def test_rows_say_what_was_trained(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        strategies=[
            "single",
            "multitask",
            {"intermediate": {"tasks": ["mini_nli"]}},
            {"name": "longer", "strategy": "single-long", "tasks": ["mini_nli"]},
            {"name": "two-rates", "strategy": "single", "recipe": {"learning_rate": [1e-3, 3e-3]}},
        ],
        targets=[{"task": task, "languages": ["en"], "limit": 10} for task in TASKS],
        train_limit=48,
        recipe={**RECIPE, "steps": 4, "batch_size": 8},
    )
    rows = {name: ran.cells(name, "mini_topic", "en")[0] for name in BUDGETS}
    budgets = {
        name: (row.target_steps, row.training_steps, row.examples) for name, row in rows.items()
    }
    assert budgets == BUDGETS
    assert len(rows["intermediate"].trainings) == 3
    assert rows["multitask"].trainings == ran.cells("multitask", "mini_choice", "en")[0].trainings


TASKS = ("mini_topic", "mini_choice")
# The first training is the pretraining of the model itself, which no strategy chose.
BUDGETS = {
    "single": (4, (0, 4), 48),
    "multitask": (4, (0, 8), 48),
    "intermediate": (4, (0, 4, 4), 48),
    "longer": (8, (0, 8), 48),
    "two-rates": (4, (0, 4), 48),
}


def test_masked_text_of_a_task_is_no_label_of_it(tmp_path: Path) -> None:
    masked = {"corpus": "mini_topic", "ratio": 0.5, "languages": ["de"]}
    german = {"name": "german", "strategy": "single", "source_languages": ["en", "de"]}
    ran = run(
        tmp_path,
        strategies=[{"name": "masked", "strategy": "single", "mlm": masked}, german],
        targets=[{"task": "mini_topic", "languages": ["en", "de"], "limit": 10}],
        train_limit=48,
        recipe={**RECIPE, "steps": 4, "batch_size": 8},
    )
    row = ran.cells("masked", "mini_topic", "de")[0]
    assert (row.trained_languages, row.training_steps) == ((), (0, 8))
    assert row.target_steps == 4 and row.examples == 48
    assert ran.cells("german", "mini_topic", "de")[0].trained_languages == ("de",)


def test_a_backend_without_steps_leaves_them_open(tmp_path: Path) -> None:
    majority = {"name": "majority", "backend": "majority"}
    ran = run(tmp_path, models=[majority], strategies=["single"], targets=["mini_topic"], recipe={})
    row = ran.cells("single", "mini_topic", "en")[0]
    assert (row.target_steps, row.training_steps) == (None, None) and row.examples
