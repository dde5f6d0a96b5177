"""Which feed a step learns from, and which rows are drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.toy import card, toy_catalogue
from xharness.data.reader import DataReader
from xharness.plugin.api import DataSlice, Mixture, Recipe, RunEnvironment
from xharness_hf.training.sampler import BatchSampler, probabilities

counts = st.lists(st.integers(1, 10_000), min_size=2, max_size=6)


@given(counts, st.floats(0.01, 0.98))
def test_what_stands_beside_has_its_share_and_the_others_theirs(
    sizes: list[int], share: float
) -> None:
    shares_without = probabilities(sizes[:-1], Mixture())
    together = probabilities(sizes, Mixture(auxiliary_shares=(share,)))
    assert together.sum() == pytest.approx(1)
    assert together[-1] == pytest.approx(share)
    assert together[:-1] == pytest.approx(shares_without * (1 - share))


@given(counts, st.data())
def test_weights_come_over_sizes(sizes: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 9), min_size=len(sizes), max_size=len(sizes)))
    shares = probabilities(sizes, Mixture(weights=tuple(weights)))
    assert shares == pytest.approx([weight / sum(weights) for weight in weights])


@settings(deadline=None)
@given(st.floats(0.1, 0.9), st.integers(1, 4))
def test_epochs_count_the_tasks_alone(share: float, epochs: int) -> None:
    recipe = Recipe(batch_size=10, epochs=epochs)
    unmixed = BatchSampler([[1] * 200], Mixture(), recipe, 1)
    mixed = BatchSampler([[1] * 200, [1] * 7], Mixture(auxiliary_shares=(share,)), recipe, 1)
    assert mixed.total == pytest.approx(unmixed.total / (1 - share), abs=1)


def test_steps_are_drawn_as_the_shares_say() -> None:
    schedule = BatchSampler(
        [[1] * 50, [1] * 50, [1] * 900],
        Mixture(weights=(3.0, 1.0), auxiliary_shares=(0.5,)),
        Recipe(steps=4000, batch_size=1),
        7,
    )
    counts = Counter(schedule[step].feed for step in range(schedule.total))
    assert [counts[feed] / 4000 for feed in range(3)] == pytest.approx(
        [0.375, 0.125, 0.5], abs=0.03
    )


def test_of_one_seed_more_examples_hold_the_fewer(tmp_path: Path) -> None:
    card(tmp_path, "red", rows=40)
    data = DataReader(toy_catalogue(tmp_path), RunEnvironment())

    def drawn(k: int, seed: int, language: str = "de") -> list[str]:
        data_slice = DataSlice("red", language, "validation", k, "x", sample=seed)
        loaded = data.load(data_slice)
        assert (loaded.count.used, loaded.count.rows, loaded.count.sampled) == (k, 40, True)
        return [example.id for example in loaded.examples]

    assert {*drawn(5, 1)} < {*drawn(12, 1)}
    assert drawn(12, 1) == sorted(drawn(12, 1), key=int)
    assert drawn(12, 1) == drawn(12, 1)
    assert drawn(12, 1) != drawn(12, 2)
    assert drawn(12, 1) != [str(index) for index in range(12)]
