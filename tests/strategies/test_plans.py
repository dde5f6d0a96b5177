"""What each strategy makes of a study, and what it refuses before anything runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.strategies.word_translator import Plugin
from tests.toy import CountingBackend, card, toy_plugins
from xharness.data.reader import DataReader
from xharness.errors import ConfigurationError
from xharness.planning import Plan, PlanningContext, compile_plan
from xharness.plugin.api import Recipe, Route, RunEnvironment, Strategy
from xharness.plugin.catalogue import Catalogue
from xharness.plugin.hookspecs import hookimpl
from xharness.plugin.manager import Provider
from xharness.spec.study import Study
from xharness.stages import (
    DataSlice,
    Mixture,
    Predict,
    Score,
    SelectModel,
    Start,
    Train,
    Translate,
)
from xharness_strategies.single import Single

EDITS = {
    "words": ("task_type: classification", "task_type: tagging"),
    "untested": ("languages:", "    splits: {train: train, test: test}\nlanguages:"),
    "english": (
        "languages:",
        "    languages: [en]\n  - from: toy\n    splits: {test: test}\nlanguages:",
    ),
}


@pytest.fixture
def cards(tmp_path: Path) -> Path:
    folder = tmp_path / "cards"
    folder.mkdir()
    for name in ("red", "green", "spare", "warm", "cold", *EDITS):
        path = card(folder, name, role="intermediate" if name in ("warm", "cold") else "target")
        path.write_text(path.read_text().replace(*EDITS.get(name, ("", ""))))
    tagging = folder / "words.yaml"
    text = tagging.read_text().replace("text: text, label: label", "tokens: text, tags: label")
    tagging.write_text(text.replace("[accuracy]", "[token_accuracy]"))
    return folder


class Tagger(CountingBackend):
    name = "tagger"
    task_types = frozenset({"classification", "tagging"})


class Speaker(CountingBackend):
    name = "speaker"

    def generates(self, options: Any) -> bool:
        return True


class More:
    @hookimpl
    def xharness_backends(self) -> list[CountingBackend]:
        return [Tagger(), Speaker()]


def _plan(cards: Path, **changes: Any) -> Plan:
    loaded = toy_plugins(cards)
    loaded.add(Plugin(), Provider("words"))
    loaded.add(More(), Provider("more"))
    catalogue, environment = Catalogue(loaded), RunEnvironment()
    values = {
        "name": "colours",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": ["single"],
        "targets": ["red"],
    }
    study = Study.model_validate(values | changes)
    return compile_plan(
        PlanningContext(
            study, catalogue, DataReader(catalogue, environment).data_slice, environment
        )
    )


def _single(**options: Any) -> dict[str, Any]:
    return {"strategies": [{"single": options}]}


def _model(plan: Plan) -> Train:
    model = plan.arms[0].score.predictions.model
    assert isinstance(model, Train)
    return model


def _coordinates(data_slices: tuple[DataSlice, ...]) -> list[tuple[str, str, str]]:
    return [(data_slice.card, data_slice.language, data_slice.split) for data_slice in data_slices]


def test_intermediate_tasks_come_one_after_the_other(cards: Path) -> None:
    options = {"tasks": ["warm", "cold"]}
    last = _model(_plan(cards, strategies=[{"intermediate": options}]))
    assert isinstance(last.start, Train)
    assert isinstance(last.start.start, Train)
    stages = [last.start.start, last.start, last]
    assert [[feed.head for feed in stage.feeds] for stage in stages] == [
        ["warm"],
        ["cold"],
        ["red"],
    ]
    assert not isinstance(last.start.start.start, Train)


def test_intermediate_tasks_are_learnt_together_where_asked(cards: Path) -> None:
    options = {"tasks": ["warm", "cold"], "mode": "multitask", "sampling": "uniform"}
    last = _model(_plan(cards, strategies=[{"intermediate": options}]))
    assert isinstance(last.start, Train)
    assert [feed.head for feed in last.start.feeds] == ["warm", "cold"]
    assert last.start.mixture == Mixture("uniform")
    assert not isinstance(last.start.start, Train)


@pytest.mark.parametrize("mode", ["sequential", "multitask"])
def test_a_target_goes_without_its_own_intermediate_task_where_asked(
    cards: Path, mode: str
) -> None:
    options = {"tasks": ["red", "green"], "mode": mode, "leave_out_target": True}
    plan = _plan(cards, strategies=[{"intermediate": options}], targets=["red", "green"])
    cards_of_target = {}
    for arm in plan.arms:
        last = arm.score.predictions.model
        assert isinstance(last, Train) and isinstance(last.start, Train)
        cards_of_target[arm.target.task] = [feed.head for feed in last.start.feeds]
        assert not isinstance(last.start.start, Train)
    assert cards_of_target == {"red": ["green"], "green": ["red"]}


def test_a_target_that_is_the_only_intermediate_task_is_trained_alone(cards: Path) -> None:
    options = {"tasks": ["red"], "mode": "multitask", "leave_out_target": True}
    last = _model(_plan(cards, strategies=[{"intermediate": options}]))
    assert [feed.head for feed in last.feeds] == ["red"]
    assert not isinstance(last.start, Train)


@pytest.mark.parametrize("heads", ["drop", "keep"])
def test_intermediate_heads_are_dropped_unless_kept(cards: Path, heads: str) -> None:
    plan = _plan(cards, strategies=[{"intermediate": {"tasks": ["warm"], "heads": heads}}])
    assert _model(plan).heads == heads


def test_masked_batches_stand_beside_the_task(cards: Path) -> None:
    model = _model(_plan(cards, **_single(mlm={"corpus": "cold", "ratio": 0.25})))
    assert [feed.objective for feed in model.feeds] == ["task", "mlm"]
    assert model.mixture.auxiliary_shares == (0.25,)
    assert [data_slice.language for data_slice in model.feeds[1].data_slices] == ["en", "de", "sw"]


def test_masked_batches_belong_to_the_intermediate_stage_unless_said(cards: Path) -> None:
    def objectives(stage_options: dict[str, str]) -> list[int]:
        options = {"tasks": ["warm"], "mlm": {"corpus": "cold", "ratio": 0.5}, **stage_options}
        last = _model(_plan(cards, strategies=[{"intermediate": options}]))
        assert isinstance(last.start, Train)
        return [len(last.start.feeds), len(last.feeds)]

    assert objectives({}) == [2, 1]
    assert objectives({"apply_to": "target"}) == [1, 2]
    assert objectives({"apply_to": "both"}) == [2, 2]


def test_translations_belong_to_the_intermediate_stage_unless_said(cards: Path) -> None:
    def languages(stage_options: dict[str, str]) -> list[list[str]]:
        translate = {"languages": ["de"], "with": "published"}
        options = {"tasks": ["warm"], "translate": translate, **stage_options}
        last = _model(_plan(cards, strategies=[{"intermediate": options}]))
        assert isinstance(last.start, Train)
        stages = (last.start, last)
        return [[row.language for row in stage.feeds[0].data_slices] for stage in stages]

    assert languages({}) == [["en", "de"], ["en"]]
    assert languages({"apply_to": "target"}) == [["en"], ["en", "de"]]
    assert languages({"apply_to": "both"}) == [["en", "de"], ["en", "de"]]


def test_published_translations_are_the_cards_own_rows(cards: Path) -> None:
    options = {"languages": ["de"], "with": "published"}
    model = _model(_plan(cards, **_single(translate=options)))
    assert _coordinates(model.feeds[0].data_slices) == [
        ("red", "en", "train"),
        ("red", "de", "train"),
    ]
    assert all(data_slice.translation is None for data_slice in model.feeds[0].data_slices)


def test_a_translation_is_a_stage_that_training_needs(cards: Path) -> None:
    plan = _plan(cards, **_single(translate={"languages": ["de"], "with": "words"}))
    first = next(iter(plan.stages.values()))
    assert isinstance(first, Translate)
    assert (first.source, first.target, first.data_slice.language) == ("en", "de", "en")
    model = _model(plan)
    assert first in model.needs
    assert [data_slice.language for data_slice in model.feeds[0].data_slices] == ["en", "de"]
    other_plan = _plan(
        cards, **_single(translate={"languages": ["de"], "with": {"words": {"rows": 9}}})
    )
    assert model.key != _model(other_plan).key


def test_translate_test_translates_all_but_the_source_language(cards: Path) -> None:
    target = {"task": "red", "languages": ["en", "de"]}
    plan = _plan(cards, targets=[target], **_single(translate={"mode": "test", "with": "words"}))
    stages = [stage for stage in plan.stages.values() if isinstance(stage, Translate)]
    assert [(stage.source, stage.target) for stage in stages] == [("de", "en")]
    plain_plan = _plan(cards, targets=[target])
    assert _model(plan).key == _model(plain_plan).key
    assert plan.arms[0].score.key != plain_plan.arms[0].score.key
    scored_languages = [
        data_slice.language for data_slice in plan.arms[0].score.predictions.data_slices
    ]
    assert scored_languages == ["en", "de"]


def test_few_shots_are_drawn_by_the_seed_after_the_training_set(cards: Path) -> None:
    plan = _plan(cards, seeds=[1, 2], **_single(few_shot={"num_shots": 4}))
    model = _model(plan)
    assert isinstance(model.start, Train)
    (feed,) = model.feeds
    assert _coordinates(feed.data_slices) == [
        ("red", "de", "validation"),
        ("red", "sw", "validation"),
    ]
    assert {(data_slice.limit, data_slice.sample) for data_slice in feed.data_slices} == {(4, 1)}
    assert model.heads == "keep"
    models = {arm.seed: arm.score.predictions.model for arm in plan.arms}
    assert isinstance(models[2], Train)
    assert {stage.sample for stage in models[2].feeds[0].data_slices} == {2}


def test_few_shots_may_be_of_some_languages_and_another_split_with_a_recipe(cards: Path) -> None:
    options = {"num_shots": 4, "languages": ["sw"], "split": "train", "recipe": {"steps": 9}}
    model = _model(_plan(cards, **_single(few_shot=options)))
    assert isinstance(model.start, Train)
    assert _coordinates(model.feeds[0].data_slices) == [("red", "sw", "train")]
    assert (model.start.recipe.steps, model.recipe.steps) == (None, 9)


def test_few_shots_of_all_targets_are_one_stage_after_multitask(cards: Path) -> None:
    options = {"few_shot": {"num_shots": 4, "languages": ["sw"]}}
    plan = _plan(cards, targets=["red", "green"], strategies=[{"multitask": options}])
    assert len({arm.score.predictions.model.key for arm in plan.arms}) == 1
    model = _model(plan)
    assert [_coordinates(feed.data_slices) for feed in model.feeds] == [
        [("red", "sw", "validation")],
        [("green", "sw", "validation")],
    ]
    assert model.mixture == Mixture("uniform")


def test_several_source_languages_are_one_training_set(cards: Path) -> None:
    model = _model(_plan(cards, **_single(source_languages=["en", "de"])))
    assert [data_slice.language for data_slice in model.feeds[0].data_slices] == ["en", "de"]


def test_german_alone_is_where_everything_begins(cards: Path) -> None:
    plan = _plan(cards, source_language="de", selection="source-dev")
    model = _model(plan)
    assert [data_slice.language for data_slice in model.feeds[0].data_slices] == ["de"]
    assert model.selection is not None
    assert _coordinates(model.selection.dev) == [("red", "de", "validation")]


def test_multitask_may_finish_with_each_target_alone(cards: Path) -> None:
    plan = _plan(cards, targets=["red", "green"], strategies=[{"multitask": {"finish": "single"}}])
    last = [arm.score.predictions.model for arm in plan.arms]
    assert [len(stage.feeds) for stage in last if isinstance(stage, Train)] == [1, 1]
    assert len({stage.start.key for stage in last if isinstance(stage, Train)}) == 1
    assert {stage.heads for stage in last if isinstance(stage, Train)} == {"keep"}


def test_multitask_learns_the_targets_that_it_names(cards: Path) -> None:
    options = {"targets": ["red", "green"], "finish": "single"}
    plan = _plan(cards, targets=["red", "green", "spare"], strategies=[{"multitask": options}])
    for arm in plan.arms:
        last = arm.score.predictions.model
        assert isinstance(last, Train)
        assert isinstance(last.start, Train)
        assert [feed.head for feed in last.feeds] == [arm.target.task]
        assert [feed.head for feed in last.start.feeds] == ["red", "green"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Mixture()),
        ({"cap": 7}, Mixture(cap=7)),
        ({"temperature": 3}, Mixture()),
        ({"sampling": "temperature"}, Mixture("temperature", 2.0)),
        ({"sampling": "temperature", "temperature": 3, "cap": 7}, Mixture("temperature", 3.0, 7)),
        ({"sampling": "uniform", "cap": 7}, Mixture("uniform")),
    ],
)
def test_what_is_not_used_in_drawing_is_not_in_the_plan(
    cards: Path, options: dict[str, Any], expected: Mixture
) -> None:
    plan = _plan(cards, targets=["red", "green"], strategies=[{"multitask": options}])
    assert _model(plan).mixture == expected


def test_weights_stand_in_the_order_of_the_feeds(cards: Path) -> None:
    options = {"sampling": {"green": 1, "red": 3}}
    model = _model(_plan(cards, targets=["red", "green"], strategies=[{"multitask": options}]))
    assert [feed.head for feed in model.feeds] == ["red", "green"]
    assert model.mixture.weights == (3.0, 1.0)


def test_a_strategy_may_be_for_some_models_and_have_a_recipe_of_its_own(cards: Path) -> None:
    models = [{"name": name, "backend": "counting", "seedling": name} for name in ("m", "n")]
    brief = {"name": "brief", "strategy": "single", "models": ["n"], "recipe": {"steps": 3}}
    plan = _plan(cards, models=models, strategies=["single", brief])
    steps = {
        (arm.model, arm.strategy): arm.score.predictions.model.recipe.steps
        for arm in plan.arms
        if isinstance(arm.score.predictions.model, Train)
    }
    assert steps == {("m", "single"): None, ("n", "single"): None, ("n", "brief"): 3}


def test_a_strategy_may_be_run_with_some_of_the_seeds(cards: Path) -> None:
    few = {"name": "few", "strategy": "multitask", "seeds": [3, 1]}
    plan = _plan(cards, seeds=[1, 2, 3], strategies=["single", few])
    assert [(arm.strategy, arm.seed) for arm in plan.arms] == [
        ("single", 1), ("single", 2), ("single", 3), ("few", 1), ("few", 3),
    ]  # fmt: skip


def test_a_strategy_has_no_seed_that_the_study_lacks(cards: Path) -> None:
    with pytest.raises(ValueError, match=r"'few' has the seed 4, which is not in 'seeds'"):
        _plan(cards, strategies=[{"name": "few", "strategy": "single", "seeds": [4]}])


def test_each_selection_is_an_arm_and_an_oracle_says_so(cards: Path) -> None:
    selections = ["last", "source-dev", "target-dev", "average"]
    plan = _plan(cards, selection=selections)
    assert [arm.strategy for arm in plan.arms] == [
        "single",
        "single (source-dev)",
        "single (target-dev, oracle)",
        "single (average)",
    ]
    models = [arm.score.predictions.model for arm in plan.arms]
    chosen_selections = [stage.selection for stage in models if isinstance(stage, Train)]
    assert chosen_selections[0] is None
    assert [len(selection.dev) for selection in chosen_selections if selection] == [1, 3, 0]
    single_plan = _plan(cards, strategies=[{"single": {"selection": "target-dev"}}])
    assert [arm.strategy for arm in single_plan.arms] == ["single (target-dev, oracle)"]
    assert _model(_plan(cards)).key == models[0].key


def test_a_selection_looks_and_waits_as_it_says(cards: Path) -> None:
    options = {"by": "source-dev", "num_evals": 4, "patience": 2, "limit": 5}
    selection = _model(_plan(cards, selection=options)).selection
    assert selection is not None
    assert (selection.num_evals, selection.patience) == (4, 2)
    assert [(data_slice.language, data_slice.limit) for data_slice in selection.dev] == [("en", 5)]


def test_an_intermediate_stage_is_chosen_on_its_own_dev_data(cards: Path) -> None:
    for options in ({"selection": "target-dev"}, {"selection": "source-dev"}):
        strategy = {"intermediate": {"tasks": ["warm"], **options}}
        last = _model(_plan(cards, strategies=[strategy]))
        assert isinstance(last.start, Train)
        assert last.start.selection is not None
        assert _coordinates(last.start.selection.dev) == [("warm", "en", "validation")]


def test_one_multitask_model_serves_all_targets_under_an_oracle(cards: Path) -> None:
    options = {"targets": ["red", "green"], "strategies": ["multitask"], "selection": "target-dev"}
    plan = _plan(cards, **options)
    assert sum(isinstance(stage, Train) for stage in plan.stages.values()) == 1
    selection = _model(plan).selection
    assert selection is not None
    assert {data_slice.card for data_slice in selection.dev} == {"red", "green"}


def test_rates_are_trained_apart_and_chosen_between(cards: Path) -> None:
    plan = _plan(cards, recipe={"learning_rate": [1e-5, 2e-5, 2e-5]})
    model = plan.arms[0].score.predictions.model
    assert isinstance(model, SelectModel)
    assert [candidate.recipe.learning_rate for candidate in model.candidates] == [1e-5, 2e-5]
    assert _coordinates(model.dev) == [("red", "en", "validation")]
    order = [type(stage) for stage in plan.stages.values()]
    assert order[:4] == [Train, Train, SelectModel, Predict]
    one_rate = _plan(cards, recipe={"learning_rate": [2e-5]})
    assert _model(one_rate).key == _model(_plan(cards)).key


def test_rates_of_several_stages_are_walked_side_by_side(cards: Path) -> None:
    plan = _plan(
        cards,
        strategies=[{"intermediate": {"tasks": ["warm"]}}],
        recipe={"learning_rate": [1e-5, 2e-5], "tasks": {"warm": {"learning_rate": 3e-5}}},
    )
    assert sum(isinstance(stage, Train) for stage in plan.stages.values()) == 3
    model = plan.arms[0].score.predictions.model
    assert isinstance(model, SelectModel)
    assert {candidate.start.key for candidate in model.candidates} == {
        model.candidates[0].start.key
    }


def _prompted(cards: Path, *backends: str, **options: Any) -> Plan:
    models = [{"name": backend, "backend": backend} for backend in backends]
    return _plan(cards, models=models, seeds=[3], strategies=[{"prompt": options}])


def test_a_prompt_asks_the_model_as_it_is(cards: Path) -> None:
    plan = _prompted(cards, "speaker")
    assert [type(stage) for stage in plan.stages.values()] == [Predict, Score]
    assert isinstance(plan.arms[0].score.predictions.model, Start)


def test_shots_are_drawn_by_the_seed_and_nothing_is_learnt(cards: Path) -> None:
    plan = _prompted(cards, "speaker", shots=4)
    model = _model(plan)
    (feed,) = model.feeds
    assert feed.objective == "shots"
    assert _coordinates(feed.data_slices) == [("red", "en", "train")]
    assert [(data_slice.limit, data_slice.sample) for data_slice in feed.data_slices] == [(4, 3)]
    assert model.recipe == Recipe()
    keys = {_prompted(cards, "speaker", shots=k).arms[0].score.predictions.key for k in (0, 1, 4)}
    assert len(keys) == 3


def test_a_model_with_heads_is_not_prompted(cards: Path) -> None:
    plan = _prompted(cards, "counting", "speaker")
    assert [arm.model for arm in plan.arms] == ["speaker"]
    assert {row.model: row.reason for row in plan.missing} == {
        "counting": "model 'counting' answers by heads, which must be trained"
    }


def test_what_is_scored_cannot_be_learnt_whole_either(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def route(self: Single, route: Route, options: Any) -> Any:
        rows = route.rows(route.target, split="test")
        return route.train(route.base, [route.feed(route.target, rows)])

    monkeypatch.setattr(Single, "route", route)
    with pytest.raises(ConfigurationError, match="'test' of task 'red' is what is scored"):
        _plan(cards)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (_single(mlm={"corpus": "colt", "ratio": 0.5}), "did you mean 'cold'?"),
        (_single(mlm={"corpus": "cold", "ratio": 1}), "mlm.ratio"),
        (_single(mlm={"corpus": "cold", "ratio": 0}), "mlm.ratio"),
        (_single(mlm={"corpus": "cold", "ratio": 0.5, "languages": ["fr"]}), "no train split in"),
        (_single(translate={"languages": ["fr"], "with": "published"}), "no train split in 'fr'"),
        (
            _single(translate={"languages": ["fr"], "with": "words"}),
            "does not translate en into fr",
        ),
        (_single(translate={"with": "wrods"}), "did you mean 'words'?"),
        (_single(translate={"mode": "test", "with": "published"}), "by a translator"),
        (_single(translate={"with": {"words": {"size": 1}}}), "unknown key 'size'"),
        (_single(few_shot={"num_shots": 3, "languages": ["fr"]}), "no validation split in 'fr'"),
        (
            _single(few_shot={"num_shots": 3, "split": "test"}),
            "'test' of task 'red' is what is scored",
        ),
        (_single(few_shot={"num_shots": 30, "split": "train"}), "has 10 rows in 'de', not 30"),
        (
            {**_single(few_shot={"num_shots": 3}), "selection": "target-dev"},
            "'validation' of task 'red' in 'de' cannot be learnt and chosen on too",
        ),
        (_single(source_languages=["fr"]), "no train split in 'fr'"),
        ({"targets": ["untested"], "selection": "source-dev"}, "no validation split in 'en'"),
        ({"targets": ["untested"], "selection": "target-dev"}, "no validation split to choose"),
        (
            {"targets": ["untested"], "recipe": {"learning_rate": [1e-5, 2e-5]}},
            "no validation split in 'en'",
        ),
        (
            {"targets": [{"task": "red", "split": "validation"}], "selection": "target-dev"},
            "is scored on its validation split",
        ),
        ({"strategies": [{"multitask": {"sampling": {"reed": 1}}}]}, "did you mean 'red'?"),
        (
            {
                "targets": ["red", "green"],
                "strategies": [{"multitask": {"sampling": {"red": 1}}}],
            },
            "'green' has no weight",
        ),
        (
            {"targets": ["red", "green"], "strategies": [{"multitask": {"targets": ["red"]}}]},
            "never trains the head 'green'",
        ),
        (
            {"strategies": [{"multitask": {"targets": ["reed"]}}]},
            "did you mean 'red'?",
        ),
    ],
)
def test_mistakes_are_named(cards: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _plan(cards, **changes)
    assert message in str(caught.value)


def test_what_cannot_be_translated_costs_its_own_arms(cards: Path) -> None:
    for mode in ("train", "test"):
        options = {"mode": mode, "with": "words"}
        plan = _plan(
            cards,
            models=[{"name": "m", "backend": "tagger"}],
            targets=["words", {"task": "red", "languages": ["en", "de"]}],
            **_single(translate=options),
        )
        assert [arm.target.task for arm in plan.arms] == ["red"]
        (missing,) = plan.missing
        assert "are positions in the text" in missing.reason


def test_the_metric_that_judges_is_part_of_what_is_chosen(cards: Path) -> None:
    trained = _model(_plan(cards, selection="source-dev"))
    assert trained.selection is not None
    assert trained.selection.metrics == (("red", "accuracy"),)
    other_selection = replace(trained.selection, metrics=(("red", "another"),))
    assert replace(trained, selection=other_selection).key != trained.key

    chosen_model = (
        _plan(cards, recipe={"learning_rate": [1e-5, 2e-5]}).arms[0].score.predictions.model
    )
    assert isinstance(chosen_model, SelectModel)
    assert replace(chosen_model, metrics=(("red", "another"),)).key != chosen_model.key


class Twice(Strategy):
    name = "twice"

    def route(self, route: Route, options: Any) -> Any:
        model = route.base
        for _ in range(4):
            model = route.train(model, route.training_sets(), heads="keep")
        return model


class Twins:
    @hookimpl
    def xharness_strategies(self) -> list[Strategy]:
        return [Twice()]


def test_no_two_stages_are_called_the_same(cards: Path) -> None:
    loaded = toy_plugins(cards)
    loaded.add(Twins(), Provider("twins"))
    catalogue, environment = Catalogue(loaded), RunEnvironment()
    shots = {"name": "shots", "strategy": "single", "few_shot": {"num_shots": 4}}
    values = {
        "name": "colours",
        "models": [{"name": "m", "backend": "counting"}],
        "strategies": [
            "single",
            "twice",
            shots,
        ],
        "targets": ["red"],
        "selection": ["last", "source-dev"],
    }
    find_slice = DataReader(catalogue, environment).data_slice
    study = Study.model_validate(values)
    plan = compile_plan(PlanningContext(study, catalogue, find_slice, environment))
    texts = [str(label) for label in plan.labels.values()]
    assert len({*texts}) == len(texts) == len(plan.stages)
    trainings = [
        str(plan.labels[stage.key])
        for stage in plan.stages.values()
        if isinstance(stage, Train) and stage.selection is None
    ]
    assert trainings[:5] == [
        "m · train red · seed 1",
        "m · train red · twice · seed 1",
        "m · train red after red · seed 1",
        "m · train red after red, red · seed 1",
        "m · train red after red, red, red · seed 1",
    ]
