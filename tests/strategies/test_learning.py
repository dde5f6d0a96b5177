"""Each strategy does what its name says, on the mini tasks; none of this holds without training.

Margins are about half of what was seen, so that they hold on another machine.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tests.strategies.running import RECIPE, TINY, Ran, run
from tests.strategies.word_translator import Plugin, WordTranslator
from xharness.stages import Checkpoint, Train

TWO = [{"task": name, "languages": ["en", "de"]} for name in ("mini_topic", "mini_ner")]
GERMAN: dict[str, Any] = {"languages": ["de"]}
BRIEF: dict[str, dict[str, Any]] = {
    "brief": {"strategy": "single"},
    "joint": {"strategy": "multitask", "sampling": "uniform"},
    "finished": {"strategy": "multitask", "sampling": "uniform", "finish": "single"},
}
"""Stages so short that it shows where a later one began."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    shots = {"num_shots": 60, **GERMAN, "recipe": {"steps": 60}}
    strategies = [
        "single",
        {"multitask": {"sampling": "uniform", "recipe": {"steps": 240}}},
        {"name": "translated", "strategy": "single", "translate": {**GERMAN, "with": "words"}},
        {"name": "published", "strategy": "single", "translate": {**GERMAN, "with": "published"}},
        {
            "name": "translate-test",
            "strategy": "single",
            "translate": {"mode": "test", "with": "words"},
        },
        {"name": "shown", "strategy": "single", "few_shot": shots},
        {"name": "several", "strategy": "single", "source_languages": ["en", "de"]},
        *({"name": name, **options, "recipe": {"steps": 30}} for name, options in BRIEF.items()),
    ]
    folder = tmp_path_factory.mktemp("strategies")
    return run(folder, Plugin(), targets=TWO, strategies=strategies)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["mini_topic", "mini_ner"])
def test_multitask_is_about_as_good_as_single_on_every_task(ran: Ran, task: str) -> None:
    single = ran.value("single", task, "en")
    assert single > 80
    assert ran.value("multitask", task, "en") > single - 10


@pytest.mark.slow
def test_each_target_alone_goes_on_from_what_all_learnt_together(ran: Ran) -> None:
    mean = {
        strategy: fmean(ran.value(strategy, task, "en") for task in ("mini_topic", "mini_ner"))
        for strategy in BRIEF
    }
    assert mean["finished"] > mean["joint"] + 12
    assert mean["finished"] > mean["brief"] + 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "strategy", ["translated", "published", "translate-test", "shown", "several"]
)
def test_the_gap_to_german_closes(ran: Ran, strategy: str) -> None:
    gap = {
        name: ran.value(name, "mini_topic", "en") - ran.value(name, "mini_topic", "de")
        for name in ("single", strategy)
    }
    assert gap["single"] > 40
    assert gap[strategy] < gap["single"] / 2
    assert ran.value(strategy, "mini_topic", "en") > 80


@pytest.mark.slow
def test_what_is_no_zero_shot_says_so(ran: Ran) -> None:
    def notes(strategy: str) -> tuple[str, ...]:
        (row,) = ran.cells(strategy, "mini_topic", "de")
        return row.notes

    assert notes("single") == ()
    assert notes("published") == ("trained on mini_topic in German",)
    assert notes("translated") == ("trained on mini_topic in German, translated by 'words'",)
    assert notes("shown") == ("trained on 60 sampled examples of mini_topic in German",)
    assert notes("translate-test") == (
        "items translated into English by 'words' before they were answered",
    )
    assert {row.strategy for row in ran.missing} == {"translated", "translate-test"}
    assert {row.task for row in ran.missing} == {"mini_ner"}


@pytest.mark.slow
def test_translations_are_stored_and_read_again(ran: Ran) -> None:
    translated_count = WordTranslator.asked
    second_run = run(
        ran.work.store.root.parent,
        Plugin(),
        targets=TWO[:1],
        strategies=[
            {
                "name": "t",
                "strategy": "single",
                "translate": {**GERMAN, "with": "words"},
                "recipe": {"steps": 2},
            }
        ],
    )
    assert second_run.value("t", "mini_topic", "en") >= 0
    assert WordTranslator.asked == translated_count


LITTLE = """\
name: {name}
task_type: {task_type}
role: target
sources: [{{from: mini, task: {task}, sizes: {{train: 18, validation: 200, test: 200}}}}]
languages: [en, de]
fields: {fields}
labels: {labels}
metrics: [{metric}]
train_on: [{name}]
about: {{title: t, summary: s, license: Apache-2.0, citation: c}}
"""
TOPIC = {
    "name": "little_topic", "task_type": "classification", "task": "topic", "metric": "accuracy",
    "fields": "{id: id, text: text, label: label}",
    "labels": "[food, sport, school, music, health, travel]",
}  # fmt: skip
NER = {
    "name": "little_ner", "task_type": "tagging", "task": "ner", "metric": "span_f1",
    "fields": "{id: id, tokens: tokens, tags: tags}",
    "labels": "[O, B-PER, I-PER, B-LOC, I-LOC, B-ORG, I-ORG]",
}  # fmt: skip


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Two targets with 18 training examples each, alone and after intermediate tasks."""
    folder = tmp_path_factory.mktemp("little")
    (folder / "cards").mkdir()
    for card in (TOPIC, NER):
        (folder / "cards" / f"{card['name']}.yaml").write_text(LITTLE.format_map(card))
    joint_tasks = ["mini_topic", "mini_ner"]
    briefly = {"steps": 30, "learning_rate": 1e-3}
    return run(
        folder,
        cards=folder / "cards",
        targets=[{"task": card["name"], "languages": ["en"]} for card in (TOPIC, NER)],
        strategies=[
            "single",
            {"name": "topic", "strategy": "intermediate", "tasks": ["mini_topic"]},
            {"name": "topic-ner", "strategy": "intermediate", "tasks": joint_tasks},
            {"name": "ner-topic", "strategy": "intermediate", "tasks": joint_tasks[::-1]},
            {"name": "together", "strategy": "intermediate", "tasks": joint_tasks,
             "mode": "multitask", "sampling": "uniform"},
        ],
        recipe={**RECIPE, "tasks": {card["name"]: briefly for card in (TOPIC, NER)}},
    )  # fmt: skip


@pytest.mark.slow
def test_an_intermediate_task_helps_a_target_with_little_data(little: Ran) -> None:
    helped, single_score = (
        little.value(name, "little_topic", "en") for name in ("topic", "single")
    )
    assert helped > single_score + 10
    assert helped > 60


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["topic-ner", "ner-topic", "together"])
def test_several_intermediate_tasks_each_help_their_target(little: Ran, strategy: str) -> None:
    for task in ("little_topic", "little_ner"):
        assert little.value(strategy, task, "en") > little.value("single", task, "en") + 15


@pytest.mark.slow
def test_of_intermediate_tasks_in_order_the_last_helps_most(little: Ran) -> None:
    last, first = (little.value(name, "little_ner", "en") for name in ("topic-ner", "ner-topic"))
    assert last > first + 15


@pytest.mark.slow
def test_masked_batches_lower_the_loss_on_words_never_seen_masked(tmp_path: Path) -> None:
    masked = {"corpus": "mini_parallel", "ratio": 0.6, "languages": ["de"]}
    ran = run(
        tmp_path,
        targets=[{"task": "mini_topic", "languages": ["en"]}],
        strategies=[
            {"name": "mixed", "strategy": "single", "mlm": masked, "recipe": {"steps": 300}}
        ],
    )
    assert ran.value("mixed", "mini_topic", "en") > 80
    trained = ran.plan.arms[0].score.predictions.model
    assert isinstance(trained, Train)
    assert _masked_loss(ran, trained) < _masked_loss(ran, trained.start) - 1.0


def _masked_loss(ran: Ran, checkpoint: Checkpoint) -> float:
    """Cross-entropy of hidden sub-words in held-out sentences."""
    import torch

    from xharness.plugin.api import Recipe
    from xharness_hf.backbone.batch import Layout, collate
    from xharness_hf.heads.heads import MASKED
    from xharness_hf.heads.masked_lm import MaskedLmObjective, hide
    from xharness_hf.heads.objectives import exact_targets
    from xharness_hf.model import HfModel
    from xharness_hf.training.sampler import random

    data, model = ran.work.data, ran.work.model(checkpoint)
    assert isinstance(model, HfModel)
    card = data.card("mini_parallel")
    examples = data.load(data.data_slice(card, "de", "validation", None)).examples
    task, tokens, recipe = MaskedLmObjective("mlm"), model.tokens, Recipe(max_length=64)
    assert tokens.mask is not None
    features = task.features(examples, tokens, recipe, gold=True)
    features = hide(features, tokens.mask, tokens.size, 0.15, random(0))
    words = model.backbone.embedding.num_embeddings
    head = model.heads.get(MASKED, task.task_type, words).eval()
    layout = Layout(tokens.pad, 0, False)
    batch = collate(features, layout, torch.device("cpu"))
    targets = exact_targets(task, batch, layout, recipe)
    with torch.inference_mode():
        states = model.backbone.states(batch).flatten(0, 1)
        total = task.loss(states, head, targets, recipe)
    return float(total) / task.terms(features)


@pytest.mark.slow
def test_german_may_be_the_source(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        models=[TINY],
        targets=[{"task": "mini_topic", "languages": ["en", "de"]}],
        strategies=["single"],
        source_language="de",
    )
    assert ran.value("single", "mini_topic", "de") > ran.value("single", "mini_topic", "en") + 40
    assert {row.source_language for row in ran.cells("single", "mini_topic", "de")} == {"de"}
