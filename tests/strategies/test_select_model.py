"""The state that is chosen is the one that was asked for, and it has learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.strategies.running import RECIPE, Ran, run
from xharness.executor.select_model import judge
from xharness.stages import Train
from xharness_hf.model import HfModel

ORACLE = "shown (target-dev, oracle)"
BY_ENGLISH = "shown"  # the first of several selections is called as the strategy


def _trained(ran: Ran, strategy: str) -> Train:
    (arm,) = (arm for arm in ran.plan.arms if arm.strategy == strategy)
    model = arm.score.predictions.model
    assert isinstance(model, Train)
    return model


def _weights(ran: Ran, strategy: str) -> torch.Tensor:
    model = ran.work.model(_trained(ran, strategy))
    assert isinstance(model, HfModel)
    return torch.nn.utils.parameters_to_vector(model.backbone.module.parameters()).detach()


@pytest.mark.slow
def test_the_best_rate_and_the_best_state_are_found_on_dev(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        targets=[{"task": "mini_topic", "languages": ["en", "de"]}],
        strategies=[{"single": {"selection": [{"by": "source-dev", "num_evals": 4, "limit": 60}]}}],
        recipe={**RECIPE, "steps": 60, "learning_rate": [1e-6, 3e-3]},
    )
    assert ran.value("single", "mini_topic", "en") > 80
    (row,) = ran.cells("single", "mini_topic", "en")
    assert row.notes == (
        "learning rate 0.003, the best on dev data of 1e-06, 0.003",
        "the state of training that does best on source-language dev data",
    )
    receipt = ran.work.store.receipt(ran.plan.arms[0].score.predictions.model.key).facts
    rates = [candidate["learning_rate"] for candidate in receipt["candidates"]]
    assert (receipt["learning_rate"], rates) == (3e-3, [1e-6, 3e-3])


@pytest.mark.slow
def test_the_mean_of_several_states_has_learnt_and_is_not_the_last(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        targets=[{"task": "mini_ner", "languages": ["en"]}],
        strategies=["single"],
        selection=["last", {"by": "average", "num_evals": 8}],
    )
    assert ran.value("single (average)", "mini_ner", "en") > 80
    last, mean = (_weights(ran, name) for name in ("single", "single (average)"))
    assert (mean - last).norm() > 0.01 * last.norm()


@pytest.mark.slow
def test_an_oracle_sees_what_english_dev_data_cannot(tmp_path: Path) -> None:
    """On few English items the first state is as good as any, before German has been learnt."""
    slowly = {"steps": 60, "learning_rate": 1e-3}
    shots = {"num_shots": 60, "languages": ["de"], "split": "train", "recipe": slowly}
    ran = run(
        tmp_path,
        targets=[{"task": "mini_topic", "languages": ["en", "de"]}],
        strategies=[{"name": "shown", "strategy": "single", "few_shot": shots}],
        selection=[
            {"by": "source-dev", "num_evals": 12, "limit": 20},
            {"by": "target-dev", "num_evals": 12, "limit": 100},
        ],
    )
    seeing, blind = _trained(ran, ORACLE), _trained(ran, BY_ENGLISH)
    assert seeing.selection is not None
    dev_score = judge(seeing.selection, seeing.recipe, ran.work)
    assert dev_score(ran.work.model(seeing)) >= dev_score(ran.work.model(blind))
    german = [ran.value(name, "mini_topic", "de") for name in (ORACLE, BY_ENGLISH)]
    assert german[0] > german[1] + 25
    assert ran.value(ORACLE, "mini_topic", "en") > 80
