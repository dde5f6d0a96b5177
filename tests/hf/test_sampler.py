"""The schedule is a function of the seed and the step, and nothing is left out."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xharness.plugin.api import Mixture, Recipe
from xharness_hf.training.optim import rate
from xharness_hf.training.sampler import BatchSampler, probabilities

feeds = st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=60), min_size=1, max_size=3)
mixtures = st.builds(
    Mixture,
    sampling=st.sampled_from(["proportional", "uniform", "temperature"]),
    temperature=st.floats(1, 10),
    cap=st.none() | st.integers(1, 40),
)


@settings(deadline=None)
@given(feeds, mixtures, st.integers(0, 2**40), st.integers(1, 16), st.data())
def test_any_step_can_be_told_without_those_before(
    lengths: list[list[int]], mixture: Mixture, seed: int, batch: int, data: st.DataObject
) -> None:
    recipe = Recipe(batch_size=batch, epochs=data.draw(st.floats(0.1, 3)))
    schedule = BatchSampler(lengths, mixture, recipe, seed)
    batches = [schedule[step] for step in range(schedule.total)]
    order = data.draw(st.permutations(range(schedule.total)))
    second_schedule = BatchSampler(lengths, mixture, recipe, seed)
    for step in order[:10]:
        assert second_schedule[step].feed == batches[step].feed
        assert second_schedule[step].features.tolist() == batches[step].features.tolist()


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=300), st.integers(1, 20))
def test_an_epoch_reads_every_feature_once(lengths: list[int], batch: int) -> None:
    schedule = BatchSampler([lengths], Mixture(), Recipe(batch_size=batch, epochs=2), 3)
    assert schedule.total == 2 * math.ceil(len(lengths) / batch)
    for epoch in range(2):
        steps = range(epoch * schedule.total // 2, (epoch + 1) * schedule.total // 2)
        batches = [schedule[step].features for step in steps]
        assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
        sizes = [len(length) for length in batches]
        assert max(sizes) <= batch
        assert max(sizes) - min(sizes) <= 1


def test_epochs_and_seeds_shuffle_anew() -> None:
    lengths = [list(range(1, 101))]

    def first(seed: int, step: int) -> list[int]:
        schedule = BatchSampler(lengths, Mixture(), Recipe(batch_size=10, epochs=2), seed)
        return [int(feature) for feature in schedule[step].features]

    assert first(0, 0) != first(1, 0)
    assert first(0, 0) != first(0, 10)


def test_batches_are_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, size=2000)
    schedule = BatchSampler([lengths], Mixture(), Recipe(batch_size=20, epochs=1), 0)
    spread = [np.ptp(lengths[schedule[step].features]) for step in range(schedule.total)]
    assert np.mean(spread) < 30, "against 90 without sorting"
    means = [lengths[schedule[step].features].mean() for step in range(schedule.total)]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.4, "in random order"


@pytest.mark.parametrize(
    ("mixture", "shares"),
    [
        (Mixture("proportional"), [0.1, 0.9]),
        (Mixture("uniform"), [0.5, 0.5]),
        (Mixture("temperature", temperature=2), [0.25, 0.75]),
        (Mixture("proportional", cap=300), [0.25, 0.75]),
    ],
)
def test_feeds_are_drawn_in_proportion(mixture: Mixture, shares: list[float]) -> None:
    lengths = [[9] * 100, [9] * 900]
    counts = [min(len(length), mixture.cap or len(length)) for length in lengths]
    assert probabilities(counts, mixture).tolist() == pytest.approx(shares)
    schedule = BatchSampler(lengths, mixture, Recipe(steps=4000, batch_size=1), 5)
    drawn = Counter(schedule[step].feed for step in range(schedule.total))
    assert [drawn[0] / 4000, drawn[1] / 4000] == pytest.approx(shares, abs=0.03)


def test_steps_take_the_place_of_epochs() -> None:
    assert BatchSampler([[1] * 10], Mixture(), Recipe(steps=7, epochs=90), 0).total == 7
    assert (
        BatchSampler(
            [[1] * 10, [1] * 99], Mixture(cap=20), Recipe(epochs=1.5, batch_size=8), 0
        ).total
        == 8
    )


def test_the_learning_rate_rises_then_falls() -> None:
    recipe = Recipe(warmup_ratio=0.2)
    factors = [rate(step, 10, recipe) for step in range(10)]
    assert factors == pytest.approx([0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
    steady = Recipe(warmup_ratio=0, lr_scheduler_type="constant")
    assert {rate(step, 10, steady) for step in range(10)} == {1.0}
    assert rate(0, 1, Recipe(warmup_ratio=1.0)) == 1.0
