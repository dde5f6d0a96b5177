"""How far a number may be off: its variance by what it comes from, t quantiles, p values.

Items and seeds are taken apart as in Sellam et al. 2022 (arXiv 2106.16163, section 4); variances
of several arms' seeds go together by Welch 1947. The t quantile lies between those of
Satterthwaite 1946, which is too short with few seeds and many tests, and of Cochran & Cox 1950,
which is too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xharness.task_types.base import Floats

COCHRAN_TWO_ARMS, COCHRAN_ONE_ARM = 0.1, 0.5
"""Cochran's share in the t quantile: of a change that the seeds of two arms stand behind, and of
one arm's own number (or of paired seeds). Fitted by simulation: docs/statistics.md."""
POWER = 0.8  # Cohen's convention: four of five true effects of that size are seen
LEVEL = 0.05  # of every test of a change; intervals are 95%
_MANY = 1e6  # degrees of freedom that make a t distribution normal
_SMALLEST, _LARGEST = 1e-15, 1e-9  # p values nearer to 0, and to 1, are as good as these
_NOTHING = 1e-18  # points squared that sums leave of a variance that is zero


@dataclass(frozen=True)
class Spread:
    """What the variance of numbers is made of, in squared points: test items, and training seeds.

    A component is the seeds of one arm, or the differences of paired seeds: two for a change
    between arms whose seeds are no pairs, one for an arm's own number, none with a single seed.
    """

    item_variance: Floats
    """One for each number: any shape, () for a single number."""
    seed_variances: Floats
    """Shape (components, …): before the shape of `item_variance` an axis of components."""
    seed_degrees: Floats
    """Degrees of freedom of each of `seed_variances`, in their shape."""
    cochran: Floats | float = COCHRAN_TWO_ARMS
    """The share of Cochran's quantile, the rest being Satterthwaite's."""

    @property
    def variance(self) -> Floats:
        """Of the number, its noise of rounding taken for zero."""
        total = self.item_variance + self.seed_variances.sum(axis=0)
        return np.where(total > _NOTHING, total, 0.0)

    @property
    def error(self) -> Floats:
        """Standard error."""
        return np.sqrt(self.variance)

    def quantile(self, level: Floats | float) -> Floats:
        """How many errors a two-sided interval reaches whose tails hold `level` together."""
        from scipy import special

        tail = np.asarray(level) / 2
        total = np.where(self.variance > 0, self.variance, 1.0)
        # from the lower tail: 1 - tail has no room for small levels
        normal = -special.ndtri(tail)
        # Seeds of one result differ by rounding, on some machines: they say nothing of luck.
        seed_variances = np.where(self.seed_variances > _NOTHING, self.seed_variances, 0.0)
        divisor = (seed_variances**2 / self.seed_degrees).sum(axis=0)
        with np.errstate(divide="ignore"):
            degrees = np.minimum(total**2 / divisor, _MANY)
        satterthwaite = -special.stdtrit(degrees, tail)
        of_seeds = (seed_variances * -special.stdtrit(self.seed_degrees, tail)).sum(axis=0)
        # each component's own quantile, by its share of the variance
        cochran = (self.item_variance * normal + of_seeds) / total
        # Neither bound keeps its level with few seeds; the share was fitted by simulation.
        mixed = (1 - self.cochran) * satterthwaite + self.cochran * cochran
        return np.asarray(np.where(divisor > 0, mixed, normal), dtype=np.float64)

    def p_value(self, value: Floats) -> Floats:
        """The level whose interval just reaches zero; 1 where the value is zero, nan without error.

        Found by bracketing the level, so that test and interval are one.
        """
        from scipy.optimize import elementwise

        distance = np.abs(value) / np.where(self.error > 0, self.error, np.nan)
        with np.errstate(divide="ignore"):
            aim = np.log(distance)
        ends = np.log(_SMALLEST), np.log1p(-_LARGEST)
        low, high = (np.log(self.quantile(np.exp(end))) for end in ends)
        # Beyond both ends there is no root: p is as good as 0 or 1, which the last line says.
        bracketed = (low > aim) & (aim > high)
        target = np.where(bracketed, aim, (low + high) / 2)
        roots = elementwise.find_root(
            self._distance_from,
            tuple(np.full(target.shape, end) for end in ends),
            args=(
                target,
                self.item_variance,
                self.cochran + np.zeros_like(self.item_variance),
                *self.seed_variances,
                *self.seed_degrees,
            ),
            tolerances={"xatol": 1e-10},
        )
        p = np.where(bracketed, np.exp(roots.x), np.where(aim >= low, _SMALLEST, 1.0))
        return np.where(np.isnan(distance), np.nan, p)

    @staticmethod
    def _distance_from(
        level: Floats, target: Floats, item_variance: Floats, cochran: Floats, *components: Floats
    ) -> Floats:
        """How far the logarithm of the quantile lies from its target, for some of the numbers."""
        # Stacked with the items, so that no components at all are an array of the right shape too.
        seed_variances, seed_degrees = np.split(np.stack([item_variance, *components])[1:], 2)
        spread = Spread(item_variance, seed_variances, seed_degrees, cochran)
        # In logarithms, because levels reach down to 1e-15.
        return np.asarray(np.log(spread.quantile(np.exp(level))) - target)

    @property
    def degrees(self) -> Floats:
        """Of the t distribution whose 97.5% quantile the 95% interval uses; inf: normal."""
        from scipy import special

        reach = self.quantile(LEVEL)
        normal = special.ndtri(1 - LEVEL / 2)
        # the inverse has no answer at the normal quantile itself
        few = special.stdtridf(1 - LEVEL / 2, np.maximum(reach, normal * (1 + 1e-6)))
        return np.where(reach > normal * (1 + 1e-6), few, np.inf)


def stacked(spreads: Sequence[Spread]) -> Spread:
    """Spreads of single numbers as one of shape (numbers,)."""
    return concatenated(
        [
            Spread(
                spread.item_variance.reshape(1),
                spread.seed_variances[:, None],
                spread.seed_degrees[:, None],
                spread.cochran,
            )
            for spread in spreads
        ]
    )


def concatenated(spreads: Sequence[Spread]) -> Spread:
    """Spreads of shapes (numbers,) as one, each number with the share of Cochran that it had."""
    count = max((len(spread.seed_variances) for spread in spreads), default=0)
    widths = [spread.item_variance.shape[0] for spread in spreads]
    ends = np.cumsum([0, *widths])
    # Numbers with fewer components are filled up with no variance, of one degree of freedom.
    seed_variances = np.zeros((count, ends[-1]))
    seed_degrees = np.ones((count, ends[-1]))
    for spread, start, end in zip(spreads, ends, ends[1:], strict=False):
        seed_variances[: len(spread.seed_variances), start:end] = spread.seed_variances
        seed_degrees[: len(spread.seed_variances), start:end] = spread.seed_degrees
    item_variances = np.concatenate([np.zeros(0), *(spread.item_variance for spread in spreads)])
    shares = np.repeat([spread.cochran for spread in spreads], widths)
    return Spread(item_variances, seed_variances, seed_degrees, shares.astype(np.float64))


def detectable_errors(reach: float, degrees: float) -> float:
    """How many errors a true change must have so that 80% of studies tell it from zero.

    `reach` is the t quantile of the interval, with so many `degrees` of freedom; power by the
    noncentral t distribution.
    """
    from scipy import special

    if not np.isfinite(degrees):
        return reach + float(special.ndtri(POWER))
    # the other tail, of claims in the wrong direction, is below a thousandth
    return float(special.nctdtrinc(degrees, 1 - POWER, reach))


def error_range(degrees: float) -> tuple[float, float]:
    """What an error must be multiplied by to reach the ends of its own 80% interval.

    Browne 1995 (Statistics in Medicine 14): a variance of few degrees of freedom is itself a guess.
    """
    from scipy import special

    if not np.isfinite(degrees):
        return 1.0, 1.0
    low, high = (float(special.chdtri(degrees, tail)) for tail in (0.1, 0.9))
    return (degrees / low) ** 0.5, (degrees / high) ** 0.5
