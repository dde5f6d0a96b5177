"""Intervals keep their word: 95% of them hold the truth, over a thousand synthetic studies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from xharness.gaps import intervals
from xharness.gaps.bootstrap import resampled_sums

STUDIES, CHUNK, RESAMPLES = 1000, 50, 400
SKILL = np.array([[1.0, 0.4, 0.1], [0.9, 0.6, 0.3]])
"""Arms x languages: how far the average item is from the border between right and wrong."""
NOISE = {  # of the seed, of the seed in one language, of the item: standard deviations
    "seeds": (0.2, 0.3, 0.3, 300),
    "items": (0.0, 0.0, 3.0, 80),
    "both": (0.05, 0.1, 1.5, 150),
    "answers": (0.0, 0.0, 0.0, 100),
    "one": (0.0, 0.0, 1.0, 150),
}


def answers(chance, seeds, noise, parallel, studies):
    """Right and wrong answers, (studies, arms, seeds, languages, items); items harder or easier."""
    seed_sd, language_sd, item_sd, items = NOISE[noise]
    shape = (studies, 2, seeds, 3, items)
    seed = chance.normal(0, seed_sd, (studies, 2, seeds, 1, 1))
    language = chance.normal(0, language_sd, (studies, 2, seeds, 3, 1))
    item = chance.normal(0, item_sd, (studies, 1, 1, 1 if parallel else 3, items))
    return (
        SKILL[:, None, :, None] + seed + language + item + chance.standard_normal(shape, np.float32)
        > 0
    )


def truth(noise):
    """Each arm's gap over all seeds and items there could be."""
    spread = np.sqrt(1 + sum(one**2 for one in NOISE[noise][:3]))
    right = 100 * stats.norm.cdf(SKILL / spread)
    return right[:, 0] - right[:, 1:].mean(axis=1)


def gap_curves(right, parallel, key):
    """Curves of the two arms' gaps: (studies, arms, 1 + resamples, seeds)."""
    studies, arms, seeds, languages, items = right.shape
    points = 100 * right.astype(float) / items
    drawn = []
    for place in range(languages):
        columns = points[:, :, :, place].reshape(-1, items).T
        sums = resampled_sums(columns, RESAMPLES, [key, 0 if parallel else place])
        curve = np.concatenate([columns.sum(axis=0)[None], sums])
        drawn.append(curve.reshape(-1, studies, arms, seeds))
    return (drawn[0] - np.mean(drawn[1:], axis=0)).transpose(1, 2, 0, 3)


def coverage(seeds, noise, parallel):
    """The share of intervals that hold the true gap, and the true change of the gap."""
    chance, wanted = np.random.default_rng(7), truth(noise)
    held = np.zeros(2)
    for chunk in range(STUDIES // CHUNK):
        right = answers(chance, seeds, noise, parallel, CHUNK)
        for base, other in gap_curves(right, parallel, chunk):
            for place, (curve, value) in enumerate(
                [(base, wanted[0]), (other - base, wanted[1] - wanted[0])]
            ):
                over = ("items", "seeds") if seeds > 1 else ("items",)
                found = intervals.estimate(curve, over, seeds)
                held[place] += found.low <= value <= found.high
    return held / STUDIES


CASES = [(seeds, noise) for seeds in (3, 5, 10) for noise in list(NOISE)[:4]]


@pytest.mark.parametrize("parallel", [True, False], ids=["parallel", "apart"])
@pytest.mark.parametrize(("seeds", "noise"), CASES)
def test_intervals_cover_what_they_promise(seeds, noise, parallel):
    own, change = coverage(seeds, noise, parallel)
    assert 0.93 <= own <= 0.97 and 0.93 <= change <= 0.97


def test_one_seed_covers_the_items_for_the_model_that_was_trained():
    """Only the items are drawn anew here: with one seed nothing is known of others."""

    own, change = coverage(1, "one", True)
    assert 0.93 <= own <= 0.97 and 0.93 <= change <= 0.97
