"""A slope against model size, twice: from a mixed-effects model, and through the models' averages.

For each language of each task one number, against the logarithm of the parameters, in a linear
mixed-effects model: languages, tasks and models shift it at random (crossed random intercepts,
fitted by REML; Baayen, Davidson & Bates 2008, Journal of Memory and Language 59). Sizes vary
between models only, so the slope has as many degrees of freedom as there are models beyond two.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import cast

import numpy as np

from xharness.gaps import intervals
from xharness.gaps.curves import Curves
from xharness.gaps.intervals import aligned
from xharness.gaps.values import Estimate, Seed
from xharness.task_types.base import Floats

_DECIMALS = 3  # an optimiser stops elsewhere on another machine; a board must not


@dataclass(frozen=True)
class Sized:
    """One model of a trend: its size, its curves over the tasks, and its number in each cell."""

    name: str
    parameters: int
    curves: Curves
    cells: Mapping[tuple[str, str], float]
    """(task, language) to gap, or to change of the gap."""
    near_chance: bool = False

    @property
    def value(self) -> Estimate:
        """The gap, or its change, over the tasks."""
        return cast(Estimate, self.curves.estimate(self.curves.gap))


def averaged(models: Sequence[Sized]) -> Estimate:
    """Points per doubling: least squares through the averages, over items and seeds alone."""
    place = np.log2([one.parameters for one in models])
    away = place - place.mean()
    seeds: tuple[Seed, ...] = tuple(dict.fromkeys(s for one in models for s in one.curves.seeds))
    curves = [aligned(cast(Floats, one.curves.gap), one.curves.seeds, seeds) for one in models]
    slope = np.einsum("m,mrs->rs", away / (away @ away), np.stack(curves))
    over = [what for what in ("items", "seeds") if all(what in one.curves.over for one in models)]
    return intervals.estimate(slope, over, fmean(one.curves.counted for one in models))


def mixed(models: Sequence[Sized]) -> Estimate | None:
    """Points per doubling: the mixed-effects model's; None where it can't be fitted."""
    import pandas as pd
    from statsmodels.regression.mixed_linear_model import MixedLM

    rows = [
        (value, np.log2(one.parameters), one.name, task, language)
        for one in models
        for (task, language), value in one.cells.items()
    ]
    table = pd.DataFrame(rows, columns=["value", "size", "model", "task", "language"])
    table["size"] -= table["size"].mean()
    varying = [one for one in ("language", "task", "model") if table[one].nunique() > 1]
    effects = {one: f"0 + C({one})" for one in varying}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a random effect is zero is an answer, not a fault
        try:
            whole = np.ones(len(table))
            model = MixedLM.from_formula("value ~ size", table, groups=whole, vc_formula=effects)
            fit = model.fit()
        except (np.linalg.LinAlgError, ValueError):
            return None
    slope, error = (round(float(one["size"]), _DECIMALS) for one in (fit.fe_params, fit.bse_fe))
    return intervals.from_error(slope, error, len(models) - 2) if np.isfinite(error) else None
