"""From curves to estimates: how sure a number is, over items and over seeds.

Percentiles of a bootstrap over three seeds cover 75% where they promise 95%: drawing S seeds with
replacement gives (S - 1) / S of the variance between them, and no quantile knows that it was
estimated from S numbers. So the two parts of the multi-bootstrap's variance (Sellam et al. 2022,
arXiv 2106.16163, section 4) are taken apart: items by resampling, seeds by their own sample
variance, with a t quantile whose degrees of freedom follow from the share that seeds have.
docs/statistics.md shows what that covers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.gaps.values import Estimate, Seed
from xharness.task_types.base import Floats

POWER = 0.8  # of the smallest detectable difference
_LEVEL = 0.975  # two-sided 95%
_MANY = 1e6  # degrees of freedom that make a t distribution normal
_DECIMALS = 6  # what is left of a point after sums in another order on another machine


def estimate(
    curve: Floats,
    over: Sequence[str],
    counted: float,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """The estimate of a curve of shape (1 + resamples, seeds), its interval cut at `bounds`.

    `over` says which of items and seeds are counted in; `counted` is how many seeds the curve
    stands on, on average where it is an average over tasks that have some more, some fewer.
    """
    value = float(curve[0].mean())
    if not over:
        return Estimate(_rounded(value))
    items, seeds = variances(curve) if "seeds" in over else (_item_variance(curve), 0.0)
    freedom = _freedom(seeds / (items + seeds), counted - 1) if seeds > 0 else None
    return from_error(value, float(np.sqrt(items + seeds)), freedom, bounds)


def from_error(
    value: float,
    error: float,
    freedom: float | None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """The estimate with this standard error and these degrees of freedom; None: normal."""
    reach = quantile(_LEVEL, freedom) * error
    low, high = np.clip((value - reach, value + reach), *bounds)
    return Estimate(
        _rounded(value),
        _rounded(low),
        _rounded(high),
        _rounded(error),
        None if freedom is None else _rounded(freedom),
        _rounded(reach + quantile(POWER, freedom) * error),
    )


def variances(curve: Floats) -> tuple[float, float]:
    """What items and what seeds add to the variance of the mean over seeds.

    Seeds that answer one item differently vary between seeds as well as between resamples of the
    items; that part is left to the seeds, so that it is not counted twice.
    """
    seeds = curve.shape[1]
    together = _item_variance(curve)
    apart = float(curve[1:].var(axis=0, ddof=1).mean())
    interaction = max(0.0, apart - together) / (seeds - 1)
    between = float(curve[0].var(ddof=1)) / seeds
    return max(0.0, together - interaction), between


def p_value(estimate: Estimate) -> float | None:
    """Two-sided, of no difference from zero: below 0.05 where the interval leaves zero out."""
    if estimate.error is None:
        return None
    if estimate.error == 0:
        return float(estimate.value == 0)
    from scipy import special

    distance = -abs(estimate.value) / estimate.error
    tail = (
        special.ndtr(distance)
        if estimate.freedom is None
        else special.stdtr(estimate.freedom, distance)
    )
    return _rounded(2 * float(tail))


def quantile(level: float, freedom: float | None) -> float:
    """Of the t distribution, or the normal one where `freedom` is None."""
    from scipy import special

    return float(special.ndtri(level) if freedom is None else special.stdtrit(freedom, level))


def ratio(part: Floats, whole: Floats) -> Floats:
    """The ratio of two curves' means over seeds, as a curve whose mean over seeds it is.

    Each seed differs from the ratio by its part of the first-order error, so that its variance
    between seeds is the one of the delta method. Infinite where `whole` is not above zero.
    """
    above = whole.mean(axis=1, keepdims=True)
    safe = np.where(above > 0, above, np.nan)
    middle = part.mean(axis=1, keepdims=True) / safe
    curve = middle + (part - middle * whole) / safe
    return np.where(above > 0, curve, np.inf)


def aligned(curve: Floats, seeds: Sequence[Seed], every: Sequence[Seed]) -> Floats:
    """A curve over `seeds` as one over `every`: same mean, same variance of the mean.

    A seed that is not there sits at the mean; the others are spread out to make up for it.
    """
    if tuple(seeds) == tuple(every):
        return curve
    mean = curve.mean(axis=1, keepdims=True)
    own, many = len(seeds), len(every)
    spread = np.sqrt(many * (many - 1) / (own * (own - 1))) if own > 1 else 0.0
    wide = np.repeat(mean, many, axis=1)
    wide[:, [every.index(one) for one in seeds]] += spread * (curve - mean)
    return wide


def _item_variance(curve: Floats) -> float:
    return float(curve[1:].mean(axis=1).var(ddof=1))


def _freedom(share: float, own: float) -> float:
    """Degrees of freedom of an error whose share `share` has `own` of them, the rest any number.

    Half way between two approximations of the t quantile, simulated with three seeds: that of
    Satterthwaite 1946 (Biometrics Bulletin 2) covers down to 92.6%, that of Cochran & Cox 1950
    (Experimental Designs) up to 97.1%.
    """
    from scipy import special

    satterthwaite = quantile(_LEVEL, min(own / share**2, _MANY))
    cochran = (1 - share) * quantile(_LEVEL, None) + share * quantile(_LEVEL, own)
    wanted = (satterthwaite + cochran) / 2
    return float(np.clip(special.stdtridf(_LEVEL, wanted), own, _MANY))


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0
