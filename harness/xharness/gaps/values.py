"""What is known about the transfer gap of a study, as values. Scores and gaps are in points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Seed = int | None
Arm = tuple[str, str]
"""Model and strategy: what a row of the board stands for."""
Axis = Literal["non-embedding", "total"]
"""Which parameters count as a model's size."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval; no interval where nothing could be resampled.

    `error` is the standard error and `freedom` the degrees of freedom of the t distribution that
    the interval uses; None stands for the normal distribution, where seeds have no part in it.
    """

    value: float
    low: float | None = None
    high: float | None = None
    error: float | None = None
    freedom: float | None = None
    detectable: float | None = None
    """The smallest true difference from zero that four in five such studies would notice."""

    @property
    def sign(self) -> int:
        """-1 or 1 where the whole interval lies on one side of zero, else 0: can't tell."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)


@dataclass(frozen=True)
class Part:
    """Some of the languages of a task: one family, one script, or those seen in pretraining.

    The source language is never among them; `gap` is its score minus their mean.
    """

    languages: tuple[str, ...]
    mean: Estimate
    gap: Estimate | None = None


@dataclass(frozen=True)
class TaskGap:
    """One arm on one task: source-language score, mean of the others, and their difference.

    `undefined` is the reason why `gap` is None. `relative` is gap / source, `retention` is
    (mean - chance) / (source - chance); both are ratios, and None near chance, where they would be
    noise over noise.
    """

    model: str
    strategy: str
    task: str
    metric: str | None = None
    provenance: str | None = None
    protocol: str | None = None
    seeds: tuple[Seed, ...] = ()
    source_language: str | None = None
    languages: tuple[str, ...] = ()
    """The languages of the mean: all that were scored, but the source language."""
    source: Estimate | None = None
    mean: Estimate | None = None
    gap: Estimate | None = None
    relative: Estimate | None = None
    retention: Estimate | None = None
    chance: float | None = None
    near_chance: bool = False
    worst: str | None = None
    """The language of the mean with the lowest score."""
    families: Mapping[str, Part] = field(default_factory=dict)
    """Language family to its part of the mean; languages outside the table have none."""
    scripts: Mapping[str, Part] = field(default_factory=dict)
    """ISO 15924 script to its part of the mean."""
    pretraining: Mapping[str, Part] = field(default_factory=dict)
    """'seen' and 'unseen' languages of the model's pretraining, where the rows know it."""
    ranks: Mapping[str, int] = field(default_factory=dict)
    """'gap' (narrowest first) and 'mean' (highest first) to the arm's place; ties share one."""
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
class Test:
    """One language's change against the baseline, and how likely it is where there is none."""

    difference: Estimate
    p: float | None
    """Two-sided; None where nothing could be resampled."""
    adjusted: float | None
    """`p` after Holm's correction over the languages of the task."""
    method: str
    """'exact McNemar' or 'paired bootstrap'."""


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
    tests: Mapping[str, Test] = field(default_factory=dict)
    """Language to its paired test; empty for the average."""
    undefined: str | None = None
    over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Average:
    """One arm over the tasks of its pool: those that every arm of the pool has alike."""

    model: str
    strategy: str
    provenance: str | None = None
    protocol: str | None = None
    tasks: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    source: Estimate | None = None
    mean: Estimate | None = None
    gap: Estimate | None = None
    relative: Estimate | None = None
    ranks: Mapping[str, int] = field(default_factory=dict)
    """As in `TaskGap`, among the arms of the pool."""
    undefined: str | None = None
    over: tuple[str, ...] = ()
    near_chance: tuple[str, ...] = ()
    """Those of `tasks` that the arm can't do: their small gap says little."""
    notes: tuple[str, ...] = ()

    @property
    def arm(self) -> Arm:
        return self.model, self.strategy


@dataclass(frozen=True)
class Pool:
    """Arms whose numbers may stand beside each other: of one provenance and one protocol."""

    provenance: str
    protocol: str
    arms: tuple[Arm, ...]
    tasks: tuple[str, ...]
    """The tasks averaged: all arms that have at least half of the tasks have these."""
    languages: Mapping[str, tuple[str, ...]]
    """Task to the languages of its mean; arms with others, or without a gap, have no average."""
    left_out: Mapping[str, str]
    """Task to the reason why it is not in the pool's averages."""


@dataclass(frozen=True)
class Point:
    """One model in a trend: its size and what was measured of it, over the trend's tasks."""

    model: str
    parameters: int
    value: Estimate


@dataclass(frozen=True)
class Trend:
    """How one strategy's gap, or its change against the baseline, moves with model size.

    `slope` is in points for each doubling of the parameters, from a mixed-effects model with
    languages, tasks and models as random effects. `check` is the slope through the models'
    averages, with an interval over items and seeds alone.
    """

    of: Literal["gap", "change"]
    strategy: str
    against: str
    axis: Axis
    family: str | None
    """None: all models, whatever their family."""
    points: tuple[Point, ...] = ()
    """By size."""
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    slope: Estimate | None = None
    check: Estimate | None = None
    undefined: str | None = None
    """Why there is no slope."""
    answer: str = ""
    """What the rows say about the effect of size, in one sentence."""
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
    pools: tuple[Pool, ...]
    """The largest pool of measured numbers first."""
    trends: tuple[Trend, ...]
    """Changes before gaps, non-embedding before total parameters, pooled before families."""

    def task(self, arm: Arm, task: str) -> TaskGap | None:
        """The arm on one task; None where the rows never speak of it."""
        return next((one for one in self.tasks if one.arm == arm and one.task == task), None)

    def average(self, arm: Arm) -> Average | None:
        """The arm over the tasks of its first pool; None where the rows never speak of it."""
        return next((one for one in self.averages if one.arm == arm), None)

    def change(self, arm: Arm, task: str | None = None) -> Change | None:
        """The arm against the baseline, on one task or on average; None for the baseline itself."""
        shelf = self.average_changes if task is None else self.changes
        found = (one for one in shelf if (one.model, one.strategy) == arm and one.task == task)
        return next(found, None)
