"""A training reports a loss and a learning rate for each of its steps, to whoever tracks it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from tests.hf import tiny
from xharness import Recipe

RECIPE = Recipe(steps=8, batch_size=8, learning_rate=1e-3, warmup_ratio=0.25, max_length=32)


def test_each_step_has_a_loss_and_a_learning_rate(bert: Path, tmp_path: Path) -> None:
    curve: dict[int, Mapping[str, float]] = {}
    session = tiny.session(tmp_path, log_metrics=curve.__setitem__)
    facts = tiny.start(bert).fit([tiny.feed("classification", 32)], RECIPE, session)
    assert [*curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(math.isfinite(metrics["loss"]) for metrics in curve.values())
    rates = [metrics["learning_rate"] for metrics in curve.values()]
    assert rates[:3] == sorted(rates[:3]) and rates[3:] == sorted(rates[3:], reverse=True)
    assert max(rates) <= RECIPE.learning_rate
    assert curve[8]["loss"] == facts["loss"], "the mean of the last tenth of 8 steps is the last"
