"""An adapter learns what a head on a frozen backbone cannot, and is small.

The body has learnt masked words before: in one with random weights a prompt moves nothing. Vectors
that merely stand before a text may help a head, so each is compared with itself, held as it began.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tests.strategies.running import RECIPE, TINY, Ran, run
from xharness_hf.heads.heads import Heads

METHODS: dict[str, dict[str, Any]] = {
    "lora": {"method": "lora", "r": 1, "target_modules": ["query", "key", "value", "dense"]},
    "prompt": {"method": "prompt", "num_virtual_tokens": 10},
    "prefix": {"method": "prefix", "num_virtual_tokens": 10},
}
BACKBONE = {
    **TINY,
    "scratch": {**TINY["scratch"], "num_layers": 2},
    "pretrain": {**TINY["pretrain"], "recipe": {**RECIPE, "steps": 300}},
}
STUDY: dict[str, Any] = {
    "models": [BACKBONE],
    "targets": [{"task": "mini_pos", "languages": ["en"]}],
    # long enough for a prompt to be worth its margin with any start
    "recipe": {**RECIPE, "learning_rate": 1e-2, "steps": 200},
}
HEAD = {"name": "head", "strategy": "single", "recipe": {"freeze_ratio": 1.0}}
ADAPTED = [
    {"name": name, "strategy": "single", "recipe": {"adapter": adapter}}
    for name, adapter in METHODS.items()
]
MARGINS = {"lora": 10, "prompt": 4, "prefix": 2}


@pytest.mark.slow
def test_an_adapter_learns_what_a_head_alone_cannot(tmp_path: Path) -> None:
    run(tmp_path / "learnt", **STUDY, strategies=[HEAD])
    shutil.copytree(tmp_path / "learnt", tmp_path / "held")  # after the same pretraining
    adapted = run(tmp_path / "learnt", **STUDY, strategies=[HEAD, *ADAPTED])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xharness_hf.training.loop.learning", _heads_alone)
        frozen = run(tmp_path / "held", **STUDY, strategies=ADAPTED)
    for method, margin in MARGINS.items():
        score = adapted.value(method, "mini_pos", "en")
        assert score > adapted.value("head", "mini_pos", "en") + margin, method
        assert score > frozen.value(method, "mini_pos", "en") + margin, method
    assert 0 < _share(adapted, "lora") < 0.02


def _heads_alone(body: object, heads: Heads) -> Mapping[str, nn.Parameter]:
    return {f"head/{name}": parameter for name, parameter in heads.parameters().items()}


def _share(ran: Ran, strategy: str) -> float:
    """Learning parameters, the head's included, as a share of the body's."""
    (arm,) = (arm for arm in ran.plan.arms if arm.strategy == strategy)
    facts = ran.work.store.receipt(arm.score.predictions.model.key).facts
    return float(facts["training"]["learning_parameters"] / facts["sizes"]["total"])
