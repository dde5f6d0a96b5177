"""From numbers and their spread to estimates: intervals and tests that never contradict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from xharness.gaps.sampled import Contrast, Sampled, spread_of_arms
from xharness.gaps.spread import LEVEL, Spread, detectable_errors, error_range, stacked
from xharness.gaps.values import Detectable, Estimate, Quantity
from xharness.task_types.base import Floats

SAME = 1.0
"""Points within which a change counts as none."""


def gap_estimates(quantities: Sequence[Sampled]) -> list[Estimate]:
    """Gaps and ratios of one arm, all on its seeds, with t intervals."""
    if not quantities:
        return []
    values = np.stack([quantity.values for quantity in quantities])
    return estimates(values.mean(axis=1), spread_of_arms(quantities))


def score_estimates(quantities: Sequence[Sampled]) -> list[Estimate]:
    """Scores and means of scores of one arm, all on its seeds, with Wilson's intervals."""
    if not quantities:
        return []
    values = np.stack([quantity.values for quantity in quantities]).mean(axis=1)
    spread = spread_of_arms(quantities)
    return as_estimates(values, wilson(values, spread), spread, None)


def change_estimates(contrasts: Sequence[Contrast], *, test: bool = True) -> list[Estimate]:
    """Changes with their intervals, and their p values where wanted."""
    values = np.array([contrast.value for contrast in contrasts])
    spread = stacked([contrast.spread() for contrast in contrasts])
    return estimates(values, spread, test=test)


def quantity_estimates(
    changes: Sequence[Mapping[Quantity, Contrast]],
) -> list[dict[Quantity, Estimate]]:
    """Of each change its quantities with intervals and p values, computed all at once."""
    # The search for p values takes about as long for one as for a thousand.
    contrasts = [contrast for change in changes for contrast in change.values()]
    remaining = iter(change_estimates(contrasts))
    return [{name: next(remaining) for name in change} for change in changes]


def estimates(values: Floats, spread: Spread, *, test: bool = False) -> list[Estimate]:
    """Numbers of shape (numbers,) with the t intervals of these spreads, and p values on demand."""
    half_width = spread.quantile(LEVEL) * spread.error
    limits = values - half_width, values + half_width
    return as_estimates(
        values, limits, spread, spread.p_value(values) if test and len(values) else None
    )


def as_estimates(
    values: Floats, limits: tuple[Floats, Floats], spread: Spread, p: Floats | None
) -> list[Estimate]:
    """Arrays as estimates; without an error they are numbers alone."""
    columns = (column.tolist() for column in (values, *limits, spread.error))
    tests: list[float | None] = [None] * len(values) if p is None else p.tolist()
    return [
        Estimate(value, low, high, error, test) if error > 0 else Estimate(value)
        for value, low, high, error, test in zip(*columns, tests, strict=True)
    ]


def detectable(spread: Spread) -> Detectable | None:
    """What a study with this spread would find in four cases of five; None without an error."""
    error = float(spread.error)
    if error == 0:
        return None
    degrees = float(spread.degrees)
    value = error * detectable_errors(float(spread.quantile(LEVEL)), degrees)
    low, high = error_range(degrees)
    return Detectable(value, value * low, value * high)


def detectable_changes(spreads: Mapping[Quantity, Spread]) -> dict[Quantity, Detectable]:
    """What a study would find of each quantity whose change has an error."""
    smallest = {name: detectable(spread) for name, spread in spreads.items()}
    return {name: change for name, change in smallest.items() if change is not None}


def is_same(value: float, spread: Spread) -> bool:
    """Whether the change is none: two one-sided tests at 5% within ±1 point (Schuirmann 1987)."""
    error = float(spread.error)
    return error > 0 and abs(value) + float(spread.quantile(2 * LEVEL)) * error < SAME


def wilson(values: Floats, spread: Spread) -> tuple[Floats, Floats]:
    """95% limits of scores in points (Wilson 1927), any shape; nan where nothing is known.

    Out of the effective number of items that the spread gives (Korn & Graubard 1998), with the t
    quantile of the spread for the normal one. So no interval leaves 0 to 100 or is a point.
    """
    share = values / 100
    variance = np.where(spread.variance > 0, spread.variance, np.nan) / 100**2
    inner = share * (1 - share)
    # all right or all wrong has variance (n + 1) / (n + 2)³, so that this is n
    edge = np.maximum(1 / np.sqrt(variance) - 2.5, 1.0)
    count = np.where(inner > 0, inner / variance, edge)
    return wilson_limits(share, count, spread.quantile(LEVEL))


def wilson_limits(share: Floats, count: Floats, reach: Floats | float) -> tuple[Floats, Floats]:
    """Limits in points of shares in 0 to 1 out of `count` items, `reach` standard errors away."""
    square = np.asarray(reach) ** 2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = (
        np.asarray(reach)
        * np.sqrt(share * (1 - share) / count + square / (4 * count**2))
        / (1 + square / count)
    )
    # at an edge one limit is the share itself, but for rounding
    low, high = np.minimum(middle - half, share), np.maximum(middle + half, share)
    return 100 * np.clip(low, 0, 1), 100 * np.clip(high, 0, 1)


def tango(gained: Floats, lost: Floats, items: Floats) -> tuple[Floats, Floats]:
    """95% limits, in points, of (gained - lost) / items of paired right answers (Tango 1998).

    Its test at zero is McNemar's z² = (gained - lost)² / (gained + lost).
    """
    from scipy import special

    square = float(special.ndtri(1 - LEVEL / 2)) ** 2
    change = (gained - lost) / items
    ends = []
    for edge in (np.full_like(change, -1.0), np.full_like(change, 1.0)):
        # the estimate itself is always inside
        inner, outer = change.copy(), edge
        # Halvings until a double has no room for more.
        for _ in range(52):
            halfway = (inner + outer) / 2
            accepted = tango_square(gained, lost, items, halfway) <= square
            inner = np.where(accepted, halfway, inner)
            outer = np.where(accepted, outer, halfway)
        ends.append(100 * inner)
    return ends[0], ends[1]


def tango_square(gained: Floats, lost: Floats, items: Floats, change: Floats) -> Floats:
    """The score statistic z² for a true difference of `change` in [-1, 1]; 0 where none can be."""
    linear = -gained - lost + (2 * items - gained + lost) * change
    constant = -lost * change * (1 - change)
    root = np.sqrt(np.maximum(linear**2 - 8 * items * constant, 0.0))
    # The largest likelihood of the share lost, given `change`: the larger root of 2 n q² + B q + C.
    share = (root - linear) / (4 * items)
    variance = items * (2 * share + change * (1 - change))
    distance = gained - lost - items * change
    return np.divide(
        distance**2,
        variance,
        out=np.where(np.abs(distance) > 0, np.inf, 0.0),
        where=variance > 0,
    )


def mcnemar(gained: Floats, lost: Floats) -> Floats:
    """Two-sided p values of Tango's score test at no change."""
    from scipy import special

    discordant = gained + lost
    square = np.divide(
        (gained - lost) ** 2, discordant, out=np.zeros_like(discordant), where=discordant > 0
    )
    return np.asarray(special.chdtrc(1, square), dtype=np.float64)


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p values raised as far as the smaller ones demand (Holm 1979); None stays None."""
    tested = np.array([p for p in values if p is not None])
    order = np.argsort(tested, kind="stable")
    # The smallest is multiplied by the number of tests, the next by one less; none comes out below
    # one that was smaller than it.
    raised = np.maximum.accumulate(tested[order] * np.arange(len(tested), 0, -1))
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(raised, 1)
    remaining = iter(adjusted.tolist())
    return [None if p is None else next(remaining) for p in values]
