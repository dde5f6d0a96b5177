"""A quantity over seeds and items: of one arm, or of one arm against another.

All that intervals need of the items is their covariance between seeds, so averages over tasks and
over models are sums of small matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xharness.gaps.spread import COCHRAN_ONE_ARM, COCHRAN_TWO_ARMS, Spread
from xharness.task_types.base import Floats


@dataclass(frozen=True)
class Sampled:
    """One arm's quantity in points: `values` of shape (seeds,).

    `item_covariance`, of shape (seeds, seeds), is how the values of two seeds vary together with
    the choice of test items; None where nothing is known of the items.
    """

    values: Floats
    item_covariance: Floats | None

    @property
    def value(self) -> float:
        """The mean over seeds."""
        return float(self.values.mean())

    @property
    def covers(self) -> tuple[str, ...]:
        """What is known to vary."""
        return ("items",) * (self.item_covariance is not None) + ("seeds",) * (len(self.values) > 1)

    def on(self, seed_indices: Sequence[int]) -> Sampled:
        """Some of the seeds, by index."""
        indices = np.asarray(seed_indices, dtype=np.intp)
        if self.item_covariance is None:
            return Sampled(self.values[indices], None)
        return Sampled(self.values[indices], self.item_covariance[np.ix_(indices, indices)])


@dataclass(frozen=True)
class Contrast:
    """One arm's quantity minus another's: items are paired, seeds are where `paired` says so."""

    arm: Sampled
    base: Sampled
    cross: Floats | None
    """Item covariance of shape (the arm's seeds, the other's seeds)."""
    unchanged_variance: float = 0.0
    """Variance of the cells in which both answer alike, with one item gained and one lost."""
    paired: bool = False

    @property
    def value(self) -> float:
        """The arm's mean over seeds minus the other's."""
        return self.arm.value - self.base.value

    @property
    def covers(self) -> tuple[str, ...]:
        """What is known to vary: seeds where both have several."""
        fewest_seeds = min(len(self.arm.values), len(self.base.values))
        return ("items",) * (self.cross is not None) + ("seeds",) * (fewest_seeds > 1)

    def on(self, arm_indices: Sequence[int], base_indices: Sequence[int]) -> Contrast:
        """Some of the seeds of each, by index."""
        return Contrast(
            self.arm.on(arm_indices),
            self.base.on(base_indices),
            None if self.cross is None else self.cross[np.ix_(arm_indices, base_indices)],
            self.unchanged_variance,
            self.paired,
        )

    @property
    def item_variance(self) -> float:
        """Of the difference of the two means over seeds, what seeds and items do together kept,
        `unchanged_variance` left out."""
        if (
            self.cross is None
            or self.arm.item_covariance is None
            or self.base.item_covariance is None
        ):
            return 0.0
        # rounding may leave less than nothing where both arms answer alike
        variance = float(
            self.arm.item_covariance.mean()
            + self.base.item_covariance.mean()
            - 2 * self.cross.mean()
        )
        return max(0.0, variance)

    @property
    def interaction(self) -> float:
        """What seeds and items do together: the spread of the seeds has it already, as far as that
        spread goes, so that no change is surer than its items alone."""
        if self.cross is None or "seeds" not in self.covers:
            return 0.0
        variances, _ = self.seed_variances
        sides = (
            [self._paired_covariance]
            if self.paired
            else [self.arm.item_covariance, self.base.item_covariance]
        )
        return sum(
            min(float(item_parts(covariance)[1]), float(variance))
            for covariance, variance in zip(sides, variances, strict=True)
            if covariance is not None
        )

    @property
    def seed_variances(self) -> tuple[Floats, Floats]:
        """Variances, and their degrees of freedom: of each arm's seeds, or of their differences."""
        if "seeds" not in self.covers:
            return np.zeros(0), np.zeros(0)
        if self.paired:
            return seed_variance(self.arm.values - self.base.values)
        sides = [seed_variance(side.values) for side in (self.arm, self.base)]
        return np.concatenate([side[0] for side in sides]), np.concatenate(
            [side[1] for side in sides]
        )

    def spread(self) -> Spread:
        """Of the difference; with one seed in either arm, over the items alone."""
        variance = max(0.0, self.item_variance - self.interaction) + self.unchanged_variance
        cochran = COCHRAN_ONE_ARM if self.paired else COCHRAN_TWO_ARMS
        return Spread(np.asarray(variance), *self.seed_variances, cochran)

    @property
    def _paired_covariance(self) -> Floats | None:
        """Item covariance of the differences of paired seeds: (pairs, pairs)."""
        if (
            self.cross is None
            or self.arm.item_covariance is None
            or self.base.item_covariance is None
        ):
            return None
        return self.arm.item_covariance + self.base.item_covariance - self.cross - self.cross.T


def spread_of_arms(quantities: Sequence[Sampled]) -> Spread:
    """Of quantities of one arm, all on its seeds: shape (quantities,)."""
    matrices = [
        quantity.item_covariance for quantity in quantities if quantity.item_covariance is not None
    ]
    covariances = np.stack(matrices) if len(matrices) == len(quantities) else None
    return spread_of_means(np.stack([quantity.values for quantity in quantities]), covariances)


def spread_of_means(values: Floats, covariances: Floats | None) -> Spread:
    """Of the means over seeds of one arm's values, (quantities, seeds), with their items'
    covariances, (quantities, seeds, seeds): shape (quantities,)."""
    count, seeds = values.shape
    jointly, interactions = (
        (np.zeros(count), np.zeros(count)) if covariances is None else item_parts(covariances)
    )
    if seeds < 2:
        return Spread(jointly, np.zeros((0, count)), np.zeros((0, count)), COCHRAN_ONE_ARM)
    variances = values.var(axis=1, ddof=1) / seeds
    # not below the items' own share: three equal seeds are luck, not certainty
    item_variances = jointly - np.minimum(interactions, variances)
    degrees = np.full((1, count), seeds - 1.0)
    return Spread(np.maximum(item_variances, 0.0), variances[None], degrees, COCHRAN_ONE_ARM)


def item_parts(covariances: Floats) -> tuple[Floats, Floats]:
    """Of covariances (..., seeds, seeds): the item variance of the mean over seeds, and the part of
    it that seeds and items have together, which is in the spread of the seeds as well."""
    seeds = covariances.shape[-1]
    # the mean over seeds is drawn on the same items in each of them
    jointly = covariances.mean(axis=(-2, -1))
    separately = np.trace(covariances, axis1=-2, axis2=-1) / seeds
    return jointly, np.maximum(separately - jointly, 0.0) / max(seeds - 1, 1)


def seed_variance(values: Floats) -> tuple[Floats, Floats]:
    """Variance of the mean with its degrees of freedom, each of shape (1,); none of one seed."""
    seeds = len(values)
    if seeds < 2:
        return np.zeros(0), np.zeros(0)
    return np.asarray([values.var(ddof=1) / seeds]), np.asarray([seeds - 1.0])


def mean(quantities: Sequence[Sampled]) -> Sampled:
    """The unweighted mean over tasks, whose items are drawn apart; all on the same seeds."""
    count = len(quantities)
    matrices = [
        quantity.item_covariance for quantity in quantities if quantity.item_covariance is not None
    ]
    return Sampled(
        np.mean([quantity.values for quantity in quantities], axis=0),
        np.sum(matrices, axis=0) / count**2 if len(matrices) == count else None,
    )


def mean_contrast(contrasts: Sequence[Contrast]) -> Contrast:
    """The unweighted mean over tasks of an arm's contrasts, all on the same seeds."""
    count = len(contrasts)
    cross = [contrast.cross for contrast in contrasts if contrast.cross is not None]
    return Contrast(
        mean([contrast.arm for contrast in contrasts]),
        mean([contrast.base for contrast in contrasts]),
        np.sum(cross, axis=0) / count**2 if len(cross) == count else None,
        sum(contrast.unchanged_variance for contrast in contrasts) / count**2,
        all(contrast.paired for contrast in contrasts),
    )
