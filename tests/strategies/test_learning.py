"""Each strategy does what its name says, on the mini tasks; none of this holds without training.

Margins are about half of what was seen, so that they hold on another machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.strategies.running import RECIPE, TINY, Ran, run
from tests.strategies.words import Plugin, Words
from xharness.stages import Checkpoint, Train

TWO = [{"task": name, "languages": ["en", "de"]} for name in ("mini_topic", "mini_ner")]
GERMAN: dict[str, Any] = {"languages": ["de"]}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    shots = {"k": 60, **GERMAN, "recipe": {"steps": 60}}
    strategies = [
        "single",
        {"multitask": {"sampling": "uniform", "recipe": {"steps": 240}}},
        {"name": "translated", "use": "single", "translate": {**GERMAN, "with": "words"}},
        {"name": "published", "use": "single", "translate": {**GERMAN, "with": "published"}},
        {"name": "translate-test", "use": "single", "translate": {"mode": "test", "with": "words"}},
        {"name": "shown", "use": "single", "few_shot": shots},
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
@pytest.mark.parametrize("strategy", ["translated", "published", "translate-test", "shown"])
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
    asked = Words.asked
    again = run(
        ran.work.store.root.parent,
        Plugin(),
        targets=TWO[:1],
        strategies=[
            {
                "name": "t",
                "use": "single",
                "translate": {**GERMAN, "with": "words"},
                "recipe": {"steps": 2},
            }
        ],
    )
    assert again.value("t", "mini_topic", "en") >= 0
    assert Words.asked == asked


LITTLE = """\
name: little
kind: classification
role: target
sources: [{from: mini, task: topic, sizes: {train: 18, validation: 200, test: 200}}]
languages: [en, de]
fields: {id: id, text: text, label: label}
labels: [food, sport, school, music, health, travel]
metrics: [accuracy]
train_on: [little]
about: {title: t, summary: s, licence: Apache-2.0, citation: c}
"""


@pytest.mark.slow
def test_an_intermediate_task_helps_a_target_with_little_data(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "little.yaml").write_text(LITTLE)
    ran = run(
        tmp_path,
        cards=tmp_path / "cards",
        targets=[{"task": "little", "languages": ["en"]}],
        strategies=["single", {"intermediate": {"tasks": ["mini_topic"]}}],
        recipe={**RECIPE, "tasks": {"little": {"steps": 30, "learning_rate": 1e-3}}},
    )
    helped, alone = (ran.value(name, "little", "en") for name in ("intermediate", "single"))
    assert helped > alone + 10
    assert helped > 60


@pytest.mark.slow
def test_masked_batches_lower_the_loss_on_words_never_seen_masked(tmp_path: Path) -> None:
    masked = {"corpus": "mini_parallel", "ratio": 0.6, "languages": ["de"]}
    ran = run(
        tmp_path,
        targets=[{"task": "mini_topic", "languages": ["en"]}],
        strategies=[{"name": "mixed", "use": "single", "mlm": masked, "recipe": {"steps": 300}}],
    )
    assert ran.value("mixed", "mini_topic", "en") > 80
    after = ran.plan.arms[0].score.predictions.model
    assert isinstance(after, Train)
    assert _masked_loss(ran, after) < _masked_loss(ran, after.start) - 1.0


def _masked_loss(ran: Ran, checkpoint: Checkpoint) -> float:
    """Cross-entropy of hidden sub-words in held-out sentences."""
    import torch

    from xharness.extend import Recipe
    from xharness_hf.batches import random
    from xharness_hf.heads import MASKED
    from xharness_hf.model import HfModel
    from xharness_hf.tasks import Masked, hide
    from xharness_hf.windows import Layout, collate

    data, model = ran.work.data, ran.work.model(checkpoint)
    assert isinstance(model, HfModel)
    card = data.card("mini_parallel")
    examples = data.load(data.portion(card, "de", "validation", None)).examples
    task, tokens, recipe = Masked("mlm"), model.tokens, Recipe(max_length=64)
    assert tokens.mask is not None
    units = task.units(examples, tokens, recipe, gold=True)
    units = hide(units, tokens.mask, tokens.size, 0.15, random(0))
    words = model.body.embedding.num_embeddings
    head = model.heads.get(MASKED, task.kind, words).eval()
    batch = collate(units, Layout(tokens.pad, 0, False), torch.device("cpu"))
    with torch.inference_mode():
        total = task.loss(model.body.states(batch), head, batch, recipe)
    return float(total) / task.terms(units)


@pytest.mark.slow
def test_lora_learns_what_a_head_alone_cannot(tmp_path: Path) -> None:
    lora = {"method": "lora", "rank": 2, "targets": ["query", "key", "value", "dense"]}
    ran = run(
        tmp_path,
        targets=[{"task": "mini_ner", "languages": ["en"]}],
        strategies=[
            {"name": "head", "use": "single", "recipe": {"freeze": 1.0}},
            {"name": "lora", "use": "single", "recipe": {"adapter": lora}},
        ],
        recipe={**RECIPE, "learning_rate": 1e-2},
    )
    assert ran.value("lora", "mini_ner", "en") > 65
    assert ran.value("lora", "mini_ner", "en") > ran.value("head", "mini_ner", "en") + 8
    (arm,) = (one for one in ran.plan.arms if one.strategy == "lora")
    facts = ran.work.store.receipt(arm.score.predictions.model.key).facts
    assert 0 < facts["training"]["learning_parameters"] < 0.02 * facts["sizes"]["total"]


@pytest.mark.slow
def test_the_best_rate_and_the_best_state_are_found_on_dev(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        targets=[{"task": "mini_topic", "languages": ["en", "de"]}],
        strategies=[{"single": {"selection": [{"by": "source-dev", "looks": 4, "limit": 60}]}}],
        recipe={**RECIPE, "steps": 60, "learning_rate": [1e-6, 3e-3]},
    )
    assert ran.value("single", "mini_topic", "en") > 80
    (row,) = ran.cells("single", "mini_topic", "en")
    assert row.notes == (
        "learning rate 0.003, the best on dev data of 1e-06, 0.003",
        "the state of training that does best on source-language dev data",
    )
    receipt = ran.work.store.receipt(ran.plan.arms[0].score.predictions.model.key).facts
    rates = [one["learning_rate"] for one in receipt["candidates"]]
    assert (receipt["learning_rate"], rates) == (3e-3, [1e-6, 3e-3])


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
