"""A slope against model size within families: each family has its own level, all share a slope.

Family fixed effects in closed form. Across families size goes along with pretraining data and
date, and a random intercept of two or three families is no fair guess of how these differ. The
residual variance is never below what the models' numbers vary by themselves (Röver, Knapp & Friede
2015, BMC Medical Research Methodology 15).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xharness.gaps.spread import LEVEL
from xharness.gaps.values import Estimate
from xharness.task_types.base import Floats

FEWEST_DEGREES = 2
"""For a word: four sizes of one family, or three of each of two."""


def degrees_of_freedom(families: Sequence[str]) -> int:
    """Models less families less one, of models with these families."""
    return len(families) - len(set(families)) - 1


def within_families(
    sizes: Floats, values: Floats, variances: Floats, families: Sequence[str]
) -> Estimate | None:
    """The slope through `values` (points) over `sizes`, all of shape (models,), with a test.

    `variances` are those of the models' numbers over items and seeds. None where no family has two
    sizes; without interval where there is one model too few.
    """
    from scipy import special

    # a level for each family: sizes and values as they differ inside it
    names, members = np.unique(np.asarray(families), return_inverse=True)
    counts = np.bincount(members, minlength=len(names))
    x, y = (
        numbers - (np.bincount(members, numbers, minlength=len(names)) / counts)[members]
        for numbers in (sizes, values)
    )
    size_squares = float(x @ x)
    if size_squares <= 0:
        return None
    slope = float(x @ y) / size_squares
    degrees = degrees_of_freedom(families)
    if degrees < 1:
        return Estimate(slope)
    residual = y - slope * x
    variance = max(float(residual @ residual) / degrees, float(variances.mean())) / size_squares
    if variance <= 0:
        return Estimate(slope)
    error = variance**0.5
    half_width = float(special.stdtrit(degrees, 1 - LEVEL / 2)) * error
    p = 2 * float(special.stdtr(degrees, -abs(slope) / error))
    return Estimate(slope, slope - half_width, slope + half_width, error, p)
