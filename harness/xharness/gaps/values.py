"""What is known about the transfer gap of a study, as values. Scores and gaps are in points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Seed = int | None
Arm = tuple[str, str]
"""Model and strategy: what a row of the board stands for."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% percentile interval; no interval where nothing could be resampled."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def sign(self) -> int:
        """-1 or 1 where the whole interval lies on one side of zero, else 0: can't tell."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)


@dataclass(frozen=True)
class TaskGap:
    """One arm on one task: source-language score, mean of the others, and their difference.

    `undefined` is the reason why `gap` is None. `retention` is (mean - chance) / (source - chance),
    a ratio, and None near chance, where it would be noise over noise.
    """

    model: str
    strategy: str
    task: str
    metric: str | None = None
    seeds: tuple[Seed, ...] = ()
    source_language: str | None = None
    languages: tuple[str, ...] = ()
    """The languages of the mean: all that were scored, but the source language."""
    source: Estimate | None = None
    mean: Estimate | None = None
    gap: Estimate | None = None
    retention: Estimate | None = None
    chance: float | None = None
    near_chance: bool = False
    undefined: str | None = None
    over: tuple[str, ...] = ()
    """What the intervals cover: 'items', 'seeds', both or nothing."""
    scores: Mapping[str, Estimate] = field(default_factory=dict)
    """Language to score, averaged over the seeds."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Language to the reason why it has no score."""
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> Arm:
        return self.model, self.strategy


@dataclass(frozen=True)
class Change:
    """What a strategy changes against the baseline, same model, paired by seed and by item.

    Each of `source`, `mean` and `gap` is the strategy's number minus the baseline's; `undefined`
    is the reason why `gap` is None. `task` is None for the average over `tasks`.
    """

    model: str
    strategy: str
    against: str
    task: str | None
    tasks: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    source: Estimate | None = None
    mean: Estimate | None = None
    gap: Estimate | None = None
    undefined: str | None = None
    over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Average:
    """One arm over the tasks whose gap every arm of the board has, in the same languages."""

    model: str
    strategy: str
    tasks: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    source: Estimate | None = None
    mean: Estimate | None = None
    gap: Estimate | None = None
    undefined: str | None = None
    over: tuple[str, ...] = ()
    near_chance: tuple[str, ...] = ()
    """Those of `tasks` that the arm can't do: their small gap says little."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gaps:
    """Everything measured, ordered by task, model and strategy."""

    baseline: str
    resamples: int
    seed: int
    tasks: tuple[TaskGap, ...]
    changes: tuple[Change, ...]
    averages: tuple[Average, ...]
    average_changes: tuple[Change, ...]
    left_out: Mapping[str, str]
    """Task to the reason why it is not in the averages."""

    def task(self, arm: Arm, task: str) -> TaskGap | None:
        """The arm on one task; None where the rows never speak of it."""
        return next((one for one in self.tasks if one.arm == arm and one.task == task), None)

    def average(self, arm: Arm) -> Average | None:
        """The arm over its tasks; None where the rows never speak of it."""
        return next((one for one in self.averages if (one.model, one.strategy) == arm), None)

    def change(self, arm: Arm, task: str | None = None) -> Change | None:
        """The arm against the baseline, on one task or on average; None for the baseline itself."""
        shelf = self.average_changes if task is None else self.changes
        found = (one for one in shelf if (one.model, one.strategy) == arm and one.task == task)
        return next(found, None)
