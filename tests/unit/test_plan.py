"""A study becomes a graph in which shared work stands once, under keys that mean their content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.toy import card, toy_catalogue
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError, UnavailableError
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import RunEnvironment
from xharness.spec.cards import TaskCard
from xharness.spec.sources import Split
from xharness.spec.study import Study
from xharness.stages import DataSlice, Predict, Score, Train


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green", "blue"):
        card(folder, name)
    for name in ("warm", "cold"):
        card(folder, name, role="intermediate")
    return folder


def _study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "colours",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": ["single"],
        "targets": ["red", "green", "blue"],
        "seeds": [1, 2],
    }
    return Study.model_validate(values | changes)


def _plan(cards: Path, **changes: Any) -> Plan:
    catalogue = toy_catalogue(cards)
    environment = RunEnvironment()
    return compile_plan(
        PlanningContext(
            _study(**changes), catalogue, DataReader(catalogue, environment).data_slice, environment
        )
    )


def _count(plan: Plan, stage_class: type) -> int:
    return sum(isinstance(stage, stage_class) for stage in plan.stages.values())


def test_single_trains_each_target_once_a_seed(cards: Path) -> None:
    plan = _plan(cards)
    assert (_count(plan, Train), _count(plan, Predict), _count(plan, Score)) == (6, 6, 6)
    assert len(plan.arms) == 6


def test_shared_checkpoints_are_trained_once(cards: Path) -> None:
    strategies = [
        "single",
        {"intermediate": {"tasks": ["warm"]}},
        {"name": "both", "strategy": "intermediate", "tasks": ["warm", "cold"]},
        "multitask",
    ]
    plan = _plan(cards, strategies=strategies)
    # a seed: 3 single; warm, then 3; cold after the same warm, then 3; one multitask model
    assert _count(plan, Train) == 2 * (3 + 1 + 3 + 1 + 3 + 1)
    assert len(plan.arms) == 2 * 3 * 4


def test_a_target_without_training_data_is_judged_on_the_intermediate_model(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("train_on: [red]", "train_on: []\nhead: warm"))
    plan = _plan(cards, strategies=[{"intermediate": {"tasks": ["warm"]}}], targets=["red"])
    (key,) = {arm.score.predictions.model.key for arm in plan.arms if arm.seed == 1}
    assert str(plan.labels[key]) == "m · train warm · seed 1"


def test_a_head_that_is_never_trained_is_refused_at_plan_time(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("train_on: [red]", "train_on: []\nhead: nowhere"))
    with pytest.raises(ConfigurationError, match="never trains the head 'nowhere'"):
        _plan(cards, targets=["red"])


def test_a_target_that_names_no_training_set_is_told_so(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(text.replace("train_on: [red]", "train_on: []"))
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, targets=["red"])
    assert "task 'red' names no training set" in str(caught.value)
    assert "add `train_on`" in str(caught.value)


def test_reasons_carry_the_place_and_no_hint(cards: Path) -> None:
    error = UnavailableError("it is not there", where="red.jsonl", hint="look elsewhere")

    def data_slice(card: TaskCard, language: str, split: Split, limit: int | None) -> DataSlice:
        if language == "sw" or split == "train":
            raise error
        return DataSlice(card.name, language, split, limit, "x")

    catalogue = toy_catalogue(cards)
    plan = compile_plan(
        PlanningContext(_study(targets=["red"]), catalogue, data_slice, RunEnvironment())
    )
    assert {row.reason for row in plan.missing} == {"red.jsonl: it is not there"}


def test_needs_come_first(cards: Path) -> None:
    plan = _plan(cards, strategies=[{"intermediate": {"tasks": ["warm"]}}])
    position = {key: number for number, key in enumerate(plan.stages)}
    for key, stage in plan.stages.items():
        assert all(position[need.key] < position[key] for need in stage.needs)


def test_only_what_is_missing_is_needed(cards: Path) -> None:
    plan = _plan(cards, seeds=[1])
    score_keys = {key for key, stage in plan.stages.items() if isinstance(stage, Score)}
    assert (
        plan.needed(score_keys.__contains__) == []
    )  # models may be deleted once the scores are there
    lost = plan.arms[0].score
    stored_keys = score_keys - {lost.key}
    assert set(plan.needed(stored_keys.__contains__)) == {
        lost,
        lost.predictions,
        lost.predictions.model,
    }


@pytest.mark.parametrize(
    ("changes", "retrains", "repredicts"),
    [
        ({}, False, False),
        ({"name": "other", "title": "t", "about": "prose"}, False, False),
        ({"runtime": {"device": "cuda", "shard": 7, "store": "elsewhere"}}, False, False),
        ({"recipe": {"learning_rate": 1e-4}}, True, True),
        ({"recipe": {"layer": 7}}, False, True),
        ({"recipe": {"mlm_probability": 0.3}}, False, False),
        ({"recipe": {"tasks": {"green": {"epochs": 1}}}}, False, False),
        ({"recipe": {"tasks": {"red": {"epochs": 1}}}}, True, True),
        ({"models": [{"name": "other-name", "backend": "counting"}]}, False, False),
        ({"models": [{"name": "m", "backend": "counting", "seedling": "y"}]}, True, True),
        ({"train_limit": 5}, True, True),
        ({"targets": [{"task": "red", "limit": 3}]}, False, True),
        ({"targets": [{"task": "red", "split": "train"}]}, False, True),
        ({"source_language": "de"}, True, True),
        ({"seeds": [2]}, True, True),
    ],
)
def test_what_enters_a_key(
    cards: Path, changes: dict[str, Any], retrains: bool, repredicts: bool
) -> None:
    first = _plan(cards, targets=["red"], seeds=[1]).arms[0].score.predictions
    plan = _plan(cards, **{"targets": ["red"], "seeds": [1], **changes})
    changed_predict = plan.arms[0].score.predictions
    assert (first.model.key != changed_predict.model.key) == retrains
    assert (first.key != changed_predict.key) == repredicts


def test_prose_and_counts_of_a_card_stay_out_of_keys(cards: Path) -> None:
    keys = set(_plan(cards, targets=["red"]).stages)
    text = (cards / "red.yaml").read_text()
    new_text = text.replace("title: t", "title: other").replace("test: 10}", "test: 99}")
    assert new_text != text
    (cards / "red.yaml").write_text(new_text)
    assert set(_plan(cards, targets=["red"]).stages) == keys
    (cards / "red.yaml").write_text(text.replace("labels: [a, b]", "labels: [b, a]"))
    assert not set(_plan(cards, targets=["red"]).stages) & keys


def test_golden_keys(cards: Path) -> None:
    """A change here makes every stored stage of every user run again: say so in the commit."""
    score = _plan(cards, targets=["red"], seeds=[1]).arms[0].score
    assert [score.predictions.model.key, score.predictions.key, score.key] == GOLDEN


GOLDEN = [
    "fdde64e4db3a232e94a6b5c9c470e8ad",
    "3f564bdd968ca38276179d2684a61c4b",
    "ed04e572f27e7508e0eb7c27c3ab8097",
]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": ["redd"]}, "there is no task card or group 'redd'"),
        ({"targets": ["redd"]}, "did you mean 'red'?"),
        ({"targets": ["red", "red"]}, "target 'red' stands twice"),
        ({"strategies": ["singel"]}, "did you mean 'single'?"),
        ({"strategies": [{"intermediate": {"tasks": ["wram"]}}]}, "did you mean 'warm'?"),
        ({"strategies": [{"intermediate": {"taks": ["warm"]}}]}, "did you mean 'tasks'?"),
        ({"strategies": [{"multitask": {"targets": ["warm"]}}]}, "'warm' is not a target"),
        ({"models": [{"name": "m", "backend": "countin"}]}, "did you mean 'counting'?"),
        ({"models": [{"name": "m", "backend": "counting", "sed": 1}]}, "unknown key 'sed'"),
        ({"targets": [{"task": "red", "languages": ["fr"]}]}, "task 'red' has no language 'fr'"),
        ({"recipe": {"tasks": {"gren": {"epochs": 1}}}}, "there is no task card 'gren'"),
        ({"recipe": {"tasks": {"gren": {"epochs": 1}}}}, "did you mean 'green'?"),
        ({"source_language": "xx"}, "no target has the language 'xx'"),
    ],
)
def test_mistakes_are_named(cards: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, **changes)
    assert message in str(caught.value)


def test_a_missing_model_costs_only_its_own_arms(cards: Path) -> None:
    models = [
        {"name": "m", "backend": "counting"},
        {"name": "gone", "backend": "counting", "seedling": "absent"},
    ]
    plan = _plan(cards, models=models, seeds=[1])
    assert {arm.model for arm in plan.arms} == {"m"}
    assert {(row.model, row.reason) for row in plan.missing} == {
        ("gone", "there is no model 'absent'")
    }


def test_a_missing_language_costs_only_its_own_cell(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    (cards / "red.yaml").write_text(
        text.replace("rows: 10\nlang", "rows: 10\n    missing: [sw]\nlang")
    )
    plan = _plan(cards, targets=["red"], seeds=[1])
    assert [p.language for p in plan.arms[0].score.predictions.data_slices] == ["en", "de"]
    assert [(row.task, row.language) for row in plan.missing] == [("red", "sw")]


def test_a_card_that_scores_its_training_rows_is_refused(cards: Path) -> None:
    text = (cards / "red.yaml").read_text()
    splits = "splits: {train: same, test: same}"
    (cards / "red.yaml").write_text(text.replace("rows: 10\nlang", f"rows: 10\n    {splits}\nlang"))
    with pytest.raises(ConfigurationError, match="'test' and 'train' are the same rows in 'en'"):
        _plan(cards, targets=["red"])
