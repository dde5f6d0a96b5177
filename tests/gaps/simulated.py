"""Studies drawn at random, as the values that boards compute with: no true change unless asked.

Standard deviations are those of published five-seed tables, in points: of seeds 0.3 in the source
score of one task and 0.74 in the mean of the others, spread over arms log-normally by 0.35; of a
single item 25 and 12, once for seed x item and once for arm x item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xharness.gaps.intervals import change_estimates
from xharness.gaps.measured import QUANTITIES
from xharness.gaps.sampled import Contrast, Sampled, mean_contrast
from xharness.gaps.values import Quantity
from xharness.gaps.wordings import Tested, Wording, wordings
from xharness.task_types.base import Floats

SEED_SD = {"source": 0.3, "others": 0.74}
ITEM_SD = {"source": 25.0, "others": 12.0}
SPREAD = 0.35
LUCK = {"gap": (0.8, 20.0, 15.0), "others": (0.74, 8.0, 6.0)}
"""Standard deviations of one training: of seeds, of seed x item and of arm x item; 15 languages."""
Shares = dict[Quantity, Contrast]


@dataclass(frozen=True)
class Arm:
    """One arm on one task: seeds and items move its source score and the mean of its others."""

    source: Sampled
    others: Sampled

    @property
    def gap(self) -> Sampled:
        items = None
        if self.source.item_covariance is not None and self.others.item_covariance is not None:
            items = self.source.item_covariance + self.others.item_covariance
        return Sampled(self.source.values - self.others.values, items)


@dataclass(frozen=True)
class Study:
    """How large a study is, and what is true in it."""

    seeds: tuple[int, ...] = (3,)
    """Seeds of each task, the same for all arms unless `base_seeds` says otherwise."""
    base_seeds: tuple[int, ...] | None = None
    items: int = 1000
    source: float = 0.0
    others: float = 0.0
    correlation: float = 0.0
    """Of one arm's seeds between tasks."""


def contrasts(rng: np.random.Generator, study: Study) -> Shares:
    """One arm minus its baseline, averaged over the tasks."""
    arm = _arm(rng, study, study.seeds, study.source, study.others)
    base = _arm(rng, study, study.base_seeds or study.seeds, 0.0, 0.0)
    seeds, base_seeds = min(study.seeds), min(study.base_seeds or study.seeds)
    averaged: Shares = {}
    for name in QUANTITIES:
        tasks = [
            Contrast(
                getattr(arm_task, name),
                getattr(base_task, name),
                np.zeros(_shape(arm_task, base_task)),
            )
            for arm_task, base_task in zip(arm, base, strict=True)
        ]
        common = [task.on(range(seeds), range(base_seeds)) for task in tasks]
        averaged[name] = mean_contrast(common)
    return averaged


def luck_alone(rng: np.random.Generator, name: Quantity, tasks: int, items: int) -> Contrast:
    """One training of an arm beside one of its baseline, and no true change between them."""
    seed_sd, *item_sds = LUCK[name]
    item_error = float(np.hypot(*item_sds) / np.sqrt(items))

    def arm() -> list[Sampled]:
        luck = np.hypot(seed_sd * np.exp(rng.normal(0, SPREAD)), item_error)
        return [
            Sampled(rng.normal(0, luck, 1), np.full((1, 1), item_error**2)) for _ in range(tasks)
        ]

    pairs = zip(arm(), arm(), strict=True)
    return mean_contrast([Contrast(*pair, np.zeros((1, 1))) for pair in pairs])


def p_values(changes: Sequence[Shares], name: Quantity) -> Floats:
    """Of one quantity in many studies."""
    return np.array(
        [estimate.p for estimate in change_estimates([change[name] for change in changes])]
    )


def worded(boards: Sequence[Sequence[Shares]]) -> list[list[Wording]]:
    """What each board says of each of its changes."""
    flat = [contrast for board in boards for change in board for contrast in change.values()]
    estimates = iter(change_estimates(flat))
    return [
        wordings(
            [
                Tested(
                    {name: next(estimates) for name in change},
                    {name: contrast.spread() for name, contrast in change.items()},
                )
                for change in board
            ]
        )
        for board in boards
    ]


def _shape(arm: Arm, base: Arm) -> tuple[int, int]:
    return len(arm.source.values), len(base.source.values)


def _arm(
    rng: np.random.Generator, study: Study, seeds: Sequence[int], source: float, of_others: float
) -> list[Arm]:
    """One arm on every task; its luck over seeds is as large on all of them."""
    unstable = float(np.exp(rng.normal(0, SPREAD)))
    common = {name: rng.normal(0, 1, max(seeds)) for name in SEED_SD}
    unshared, shared = np.sqrt(1 - study.correlation), np.sqrt(study.correlation)

    def sampled(name: str, value: float, count: int) -> Sampled:
        error = ITEM_SD[name] / np.sqrt(study.items)
        luck = unshared * rng.normal(0, 1, count) + shared * common[name][:count]
        values = value + SEED_SD[name] * unstable * luck
        values += rng.normal(0, error) + rng.normal(0, error, count)
        return Sampled(values, error**2 * (np.ones((count, count)) + np.eye(count)))

    return [
        Arm(sampled("source", source, count), sampled("others", of_others, count))
        for count in seeds
    ]
