"""One arm on one task against the baseline: contrasts of its quantities, a test by language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xharness.gaps.influences import PSEUDO_ITEMS, ArmItems
from xharness.gaps.intervals import estimates, holm, mcnemar, tango
from xharness.gaps.measured import QUANTITIES, weights_of, why_no_gap
from xharness.gaps.sampled import Contrast, item_parts
from xharness.gaps.spread import COCHRAN_ONE_ARM, COCHRAN_TWO_ARMS, Spread, concatenated
from xharness.gaps.values import Estimate, LanguageTest, Quantity
from xharness.phrases import counted
from xharness.spec.languages import name_of
from xharness.task_types.base import Floats

TANGO, WELCH = "Tango", "Welch"
_COMPARABLE = ("metric", "split", "protocol", "provenance")
"""What two arms must share for one to be subtracted from the other."""
_ZERO = 1e-18  # squared points: two means of influences that differ by rounding alone


@dataclass(frozen=True)
class TaskContrast:
    """An arm minus the baseline on one task; `problem` says why there is no gap, or nothing."""

    contrasts: Mapping[Quantity, Contrast] = field(default_factory=dict)
    influences: Mapping[Quantity, Floats] = field(default_factory=dict)
    """Of the items of all languages, on the difference of the means over seeds: (items,)."""
    layout: object = None
    """Equal where two contrasts' influences are those of the same items."""
    languages: tuple[str, ...] = ()
    item_variances: Mapping[str, float] = field(default_factory=dict)
    """Language to the item variance of the difference of both means over seeds."""
    problem: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def spreads(self) -> dict[Quantity, Spread]:
        """How far each of the contrasts may be off."""
        return {name: contrast.spread() for name, contrast in self.contrasts.items()}


def contrast(arm: ArmItems, base: ArmItems) -> TaskContrast:
    """One arm minus another, on the languages and items that both have."""
    for side in (arm, base):
        if side.cells.problem is not None:
            reason = f"no score of '{side.cells.strategy}': {side.cells.problem}"
            return TaskContrast(problem=reason)
    languages = tuple(code for code in arm.cells.languages if code in base.cells.languages)
    # A difference of unlike numbers would be printed as if it were an effect.
    unlike = _why_unlike(arm, base, languages)
    if unlike is not None:
        return TaskContrast(problem=unlike)
    weights = weights_of(arm.cells.source_language, languages)
    arm_quantities, base_quantities = (
        dict(zip(weights, side.quantities([*weights.values()]), strict=True))
        for side in (arm, base)
    )
    item_variances = _item_variances_of_difference(arm, base, languages)
    unchanged = _unchanged(arm, base, item_variances)
    paired = has_paired_seeds(arm, base)
    contrasts: dict[Quantity, Contrast] = {}
    influences: dict[Quantity, Floats] = {}
    for name, shares in weights.items():
        cross = None
        if arm.influences and base.influences:
            arm_influence, base_influence = arm.influence_on(shares), base.influence_on(shares)
            cross = arm_influence @ base_influence.T
            influences[name] = arm_influence.mean(axis=0) - base_influence.mean(axis=0)
        unchanged_variance = sum(shares[code] ** 2 * unchanged.get(code, 0.0) for code in shares)
        contrasts[name] = Contrast(
            arm_quantities[name], base_quantities[name], cross, unchanged_variance, paired
        )
    # models whose items differ are drawn apart, so their changes don't vary together
    layout = tuple((code, arm.items[code].ids) for code in languages) if influences else None
    problem = why_no_gap(arm.cells, languages) or why_no_gap(base.cells, languages)
    return TaskContrast(
        contrasts,
        influences,
        layout,
        languages,
        item_variances,
        problem,
        _restriction(arm, base, languages),
    )


def has_paired_seeds(arm: ArmItems, base: ArmItems) -> bool:
    """Whether both score one trained model, or one goes on from the other's, in every seed."""
    # Seeds pair up only where each of one side has its partner on the other.
    # And the spread of differences needs two of them.
    if arm.cells.seeds != base.cells.seeds or len(arm.cells.seeds) < 2:
        return False
    language = next(code for code in arm.cells.languages if code in base.cells.languages)
    for seed in arm.cells.seeds:
        arm_trainings, base_trainings = (
            side.cells.rows[seed, language].trainings for side in (arm, base)
        )
        if (
            not arm_trainings
            or not base_trainings
            or not (arm_trainings[-1] in base_trainings or base_trainings[-1] in arm_trainings)
        ):
            return False
    return True


def language_tests(
    pairs: Sequence[tuple[ArmItems, ArmItems, TaskContrast]],
) -> list[dict[str, LanguageTest]]:
    """For each arm and its baseline a test in every language that both have.

    Corrected over the languages of the task; all p values are computed at once.
    """
    welch = {index: pair for index, pair in enumerate(pairs) if not _suits_tango(*pair[:2])}
    measured = [_welch(*pair) for pair in welch.values()]
    values, spreads = [value for value, _ in measured], [spread for _, spread in measured]
    welch_estimates = (
        estimates(np.concatenate(values), concatenated(spreads), test=True) if values else []
    )
    remaining = iter(welch_estimates)
    tests = []
    for index, (arm, base, task_contrast) in enumerate(pairs):
        if index in welch:
            differences, method = [next(remaining) for _ in task_contrast.languages], WELCH
        else:
            differences, method = _tango(arm, base, task_contrast.languages), TANGO
        adjusted = holm([difference.p for difference in differences])
        tests.append(
            {
                code: LanguageTest(difference, p, method)
                for code, difference, p in zip(
                    task_contrast.languages, differences, adjusted, strict=True
                )
            }
        )
    return tests


def _suits_tango(arm: ArmItems, base: ArmItems) -> bool:
    """Whether both are one seed of right and wrong answers, so that Tango's interval is theirs."""
    one_seed = len(arm.cells.seeds) == len(base.cells.seeds) == 1
    return one_seed and arm.right_or_wrong and base.right_or_wrong


def model_covariances(
    changes: Sequence[TaskContrast],
) -> dict[Quantity, Floats]:
    """How the items move the changes of several models together, (models, models), by quantity.

    Zero between models that answered other items, or whose items are not known.
    """
    layouts: dict[object, list[int]] = defaultdict(list)
    for index, change in enumerate(changes):
        if change.layout is not None:
            layouts[change.layout].append(index)
    covariances: dict[Quantity, Floats] = {}
    for name in QUANTITIES:
        matrix = np.zeros((len(changes), len(changes)))
        for members in layouts.values():
            influences = [
                changes[index].influences[name]
                for index in members
                if name in changes[index].influences
            ]
            if len(influences) == len(members):
                stacked = np.stack(influences)
                matrix[np.ix_(members, members)] = stacked @ stacked.T
        covariances[name] = matrix
    return covariances


def _item_variances_of_difference(
    arm: ArmItems, base: ArmItems, languages: Sequence[str]
) -> dict[str, float]:
    """Language to the item variance of the difference of both means over seeds."""
    if not (arm.influences and base.influences):
        return {}
    differences = {
        code: arm.mean_influences[code] - base.mean_influences[code] for code in languages
    }
    return {code: float(influence @ influence) for code, influence in differences.items()}


def _unchanged(
    arm: ArmItems, base: ArmItems, item_variances: Mapping[str, float]
) -> dict[str, float]:
    """Variance of the languages in which both answer alike, item by item, and not all the same."""
    variances = {}
    for code, variance in item_variances.items():
        at_edge = all(
            side.edge_variances is not None and side.edge_variances[side.index[code]].any()
            for side in (arm, base)
        )
        # Both answer alike everywhere: the sample varies by nothing, which other items would not.
        # A score at an edge has its doubt already: it must not be counted in twice.
        if not at_edge and variance < _ZERO:
            variances[code] = PSEUDO_ITEMS / (len(arm.mean_influences[code]) + 2) ** 2
    return variances


def _tango(arm: ArmItems, base: ArmItems, languages: Sequence[str]) -> list[Estimate]:
    """Changes in each language, of the one seed that both have: paired right and wrong answers."""
    sides = [[side.items[code].statistics[:, 0] for code in languages] for side in (arm, base)]
    gained, lost = (
        np.array([float((winner > loser).sum()) for winner, loser in zip(*pair, strict=True)])
        for pair in (sides, sides[::-1])
    )
    items = np.array([float(len(right)) for right in sides[0]])
    low, high = tango(gained, lost, items)
    values, p = 100 * (gained - lost) / items, mcnemar(gained, lost)
    columns = (column.tolist() for column in (values, low, high, p))
    return [
        Estimate(value, lower, upper, p=p_value)
        for value, lower, upper, p_value in zip(*columns, strict=True)
    ]


def _welch(arm: ArmItems, base: ArmItems, task_contrast: TaskContrast) -> tuple[Floats, Spread]:
    """Changes of all languages, with Welch's variance and two pseudo-items: (languages,)."""
    languages = task_contrast.languages
    scores = [side.scores[:, [side.index[code] for code in languages]] for side in (arm, base)]
    values = scores[0].mean(axis=0) - scores[1].mean(axis=0)
    paired = any(contrast.paired for contrast in task_contrast.contrasts.values())
    has_seeds = min(len(side) for side in scores) > 1
    item_variances = np.zeros(len(languages))
    if arm.influences and base.influences:
        item_variances = _item_variances(arm, task_contrast)
    columns = [scores[0] - scores[1]] if paired else scores
    columns = columns if has_seeds else []
    shape = (len(columns), len(languages))
    seed_variances = np.array([column.var(axis=0, ddof=1) / len(column) for column in columns])
    degrees = np.array([np.full(len(languages), len(column) - 1.0) for column in columns])
    if has_seeds and arm.influences and base.influences:
        interactions = _interactions(arm, base, languages, paired=paired)
        # Seeds hold what seeds and items do together: counted twice, intervals get too long.
        item_variances -= np.minimum(interactions, seed_variances).sum(axis=0)
        item_variances = np.maximum(item_variances, 0.0)
    cochran = COCHRAN_ONE_ARM if paired else COCHRAN_TWO_ARMS
    return values, Spread(
        item_variances, seed_variances.reshape(shape), degrees.reshape(shape), cochran
    )


def _item_variances(arm: ArmItems, task_contrast: TaskContrast) -> Floats:
    """Of the change in each language, two items more counted in: squared points, (languages,)."""
    count = np.array([float(len(arm.mean_influences[code])) for code in task_contrast.languages])
    squares = (
        np.array([*task_contrast.item_variances.values()]) * count * np.maximum(count - 1, 1)
        + PSEUDO_ITEMS
    )
    return np.asarray(squares / (count + 2) ** 2, dtype=np.float64)


def _interactions(
    arm: ArmItems, base: ArmItems, languages: Sequence[str], *, paired: bool
) -> Floats:
    """What seeds and items do together in each language: (1 or 2 sides, languages)."""
    if paired:
        differences = [arm.influences[code] - base.influences[code] for code in languages]
        return np.array(
            [[float(item_parts(difference @ difference.T)[1]) for difference in differences]]
        )
    return np.stack(
        [
            item_parts(side.inner_covariances[[side.index[code] for code in languages]])[1]
            for side in (arm, base)
        ]
    )


def _why_unlike(arm: ArmItems, base: ArmItems, languages: Sequence[str]) -> str | None:
    """Why the two must not be subtracted."""
    against = f"'{base.cells.strategy}'"
    for name in _COMPARABLE:
        if getattr(arm.cells.any_row, name) != getattr(base.cells.any_row, name):
            return f"another {name} than {against}"
    if not languages:
        return f"no language in common with {against}"
    if arm.influences and base.influences:
        for code in languages:
            if arm.items[code].ids != base.items[code].ids:
                return f"other items than {against} in {name_of(code)}"
    return None


def _restriction(arm: ArmItems, base: ArmItems, languages: Sequence[str]) -> tuple[str, ...]:
    """What the comparison leaves out because only one of the two has it."""
    if set(arm.cells.languages) == set(base.cells.languages) == set(languages):
        return ()
    return (f"compared on {counted(len(languages), 'language')}: all that both have",)
