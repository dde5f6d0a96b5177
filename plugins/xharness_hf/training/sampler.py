"""Which features each step learns from: a pure function of the seed and the step.

So a training that was interrupted at any step goes on as if it had not been.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from xharness import Mixture, Recipe

FeatureIndices = NDArray[np.int64]
"""Which features of a feed."""

_CHUNK = 50  # batches whose features are sorted by length together
_NOISE = 0.15  # of a length when sorting, so that not the same features meet in every epoch
_FEED, _EPOCH = 1, 2  # keep the streams of random numbers apart


class StepBatch(NamedTuple):
    """The batch of one step: features of one feed."""

    feed: int
    features: FeatureIndices


class BatchSampler:
    """The batches of a training, by step from 0 to `total` - 1.

    An epoch over a feed of n features is ceil(n / batch_size) batches of nearly equal size. Each
    step draws from one feed, by the mixture. Feeds that stand beside the others with a share of
    their own make a training longer: no epoch counts them.
    """

    def __init__(
        self, lengths: Sequence[Sequence[int]], mixture: Mixture, recipe: Recipe, seed: int
    ) -> None:
        self._lengths = [np.asarray(of_feed) for of_feed in lengths]
        self._batch_size, self._seed = recipe.batch_size, seed
        counts = [min(len(of_feed), mixture.cap or len(of_feed)) for of_feed in lengths]
        mixed = counts[: len(counts) - len(mixture.auxiliary_shares)]
        # Capped: else a huge feed that counts for little would make epochs as long as itself.
        epoch = sum(math.ceil(count / recipe.batch_size) for count in mixed)
        steps = recipe.epochs * epoch / (1 - sum(mixture.auxiliary_shares))
        self.total = recipe.steps or math.ceil(steps)
        self.shares = probabilities(counts, mixture)
        """How likely a step draws each feed."""
        self._feeds = random(seed, _FEED).choice(len(lengths), size=self.total, p=self.shares)
        # For each step, how many steps before it drew from the same feed.
        self._turns = np.zeros(self.total, dtype=np.int64)
        for feed in range(len(lengths)):
            steps_of_feed = self._feeds == feed
            self._turns[steps_of_feed] = np.arange(steps_of_feed.sum())
        self._epochs: dict[int, tuple[int, list[FeatureIndices]]] = {}

    def __getitem__(self, step: int) -> StepBatch:
        feed = int(self._feeds[step])
        batches = math.ceil(len(self._lengths[feed]) / self._batch_size)
        epoch, turn = divmod(int(self._turns[step]), batches)
        order = self._epochs.get(feed)
        if order is None or order[0] != epoch:
            stream = random(self._seed, _EPOCH, feed, epoch)
            order = epoch, shuffled(self._lengths[feed], batches, stream)
            self._epochs[feed] = order
        return StepBatch(feed, order[1][turn])


def random(*path: int) -> Generator:
    """Random numbers that depend on `path` alone."""
    # Seeds may be negative in a study, numpy's may not.
    return default_rng([number % 2**63 for number in path])


def probabilities(counts: Sequence[int], mixture: Mixture) -> NDArray[np.float64]:
    """How likely each feed is drawn, from its (capped) number of features."""
    mixed = counts[: len(counts) - len(mixture.auxiliary_shares)]
    shares = np.asarray(mixture.weights or _sizes(mixed, mixture), dtype=np.float64)
    shares = shares / shares.sum()
    if mixture.auxiliary_shares:
        shares = np.append(shares * (1 - sum(mixture.auxiliary_shares)), mixture.auxiliary_shares)
    return np.asarray(shares)


def _sizes(counts: Sequence[int], mixture: Mixture) -> Sequence[float]:
    power = {"uniform": 0.0, "proportional": 1.0, "temperature": 1 / mixture.temperature}[
        mixture.sampling
    ]
    return [float(count) ** power for count in counts]


def shuffled(lengths: NDArray[np.int64], batches: int, stream: Generator) -> list[FeatureIndices]:
    """All features in random order, in batches of like length, the batches in random order."""
    order = stream.permutation(len(lengths))
    chunks = np.array_split(order, math.ceil(batches / _CHUNK))
    noise = stream.uniform(1 - _NOISE, 1 + _NOISE, size=len(lengths))
    sorted_chunks = [chunk[np.argsort((lengths * noise)[chunk], kind="stable")] for chunk in chunks]
    features = np.array_split(np.concatenate(sorted_chunks), batches)
    return [features[index] for index in stream.permutation(batches)]
